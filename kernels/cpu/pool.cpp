#include <algorithm>

#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/parts.h"

namespace deepfreq {
namespace {

/// Calls work(small, large) for every window of the large image: where in the pooled image the channels of
/// its pixel begin, and where in the large one those of its first pixel do.
template <class Work>
void for_each_window(const Shape& large, const PoolParams& params, const Work& work) {
    const std::int64_t columns = large[2] / params.width;
    const std::int64_t channels = large[3];
    const std::int64_t rows = large[0] * (large[1] / params.height);
#pragma omp parallel for schedule(static) if (large.elements() >= parallel_threshold)
    for (std::int64_t row = 0; row < rows; ++row)
        for (std::int64_t column = 0; column < columns; ++column)
            work((row * columns + column) * channels,
                 (row * params.height * large[2] + column * params.width) * channels);
}

/// Calls work(offset) for the window's pixels, row by row: how far their channels are from the first's.
template <class Work>
void for_each_pixel(const Shape& large, const PoolParams& params, const Work& work) {
    for (std::int64_t row = 0; row < params.height; ++row)
        for (std::int64_t column = 0; column < params.width; ++column)
            work((row * large[2] + column) * large[3]);
}

}  // namespace

void CpuKernels::do_average_pool_forward(ConstTensor x, const PoolParams& params, Tensor y) {
    const std::int64_t channels = x.shape[3];
    const float share = 1.0F / static_cast<float>(params.height * params.width);
    for_each_window(x.shape, params, [&](std::int64_t small, std::int64_t large) {
        float* const mean = y.data + small;
        std::fill_n(mean, channels, 0.0F);
        for_each_pixel(x.shape, params, [&](std::int64_t offset) {
            const float* const pixel = x.data + large + offset;
#pragma omp simd
            for (std::int64_t c = 0; c < channels; ++c) mean[c] += pixel[c];
        });
#pragma omp simd
        for (std::int64_t c = 0; c < channels; ++c) mean[c] *= share;
    });
}

void CpuKernels::do_average_pool_backward(ConstTensor dy, const PoolParams& params, Tensor dx) {
    const std::int64_t channels = dx.shape[3];
    const float share = 1.0F / static_cast<float>(params.height * params.width);
    for_each_window(dx.shape, params, [&](std::int64_t small, std::int64_t large) {
        const float* const gradient = dy.data + small;
        for_each_pixel(dx.shape, params, [&](std::int64_t offset) {
            float* const pixel = dx.data + large + offset;
#pragma omp simd
            for (std::int64_t c = 0; c < channels; ++c) pixel[c] = gradient[c] * share;
        });
    });
}

void CpuKernels::do_max_pool_forward(ConstTensor x, const PoolParams& params, Tensor y) {
    const std::int64_t channels = x.shape[3];
    for_each_window(x.shape, params, [&](std::int64_t small, std::int64_t large) {
        float* const largest = y.data + small;
        std::copy_n(x.data + large, channels, largest);
        for_each_pixel(x.shape, params, [&](std::int64_t offset) {
            const float* const pixel = x.data + large + offset;
#pragma omp simd
            for (std::int64_t c = 0; c < channels; ++c) {
                // The second makes NaN win; nothing is larger than NaN, so that it stays.
                const bool wins = pixel[c] > largest[c] || pixel[c] != pixel[c];
                largest[c] = wins ? pixel[c] : largest[c];
            }
        });
    });
}

void CpuKernels::do_max_pool_backward(ConstTensor x, ConstTensor y, ConstTensor dy, const PoolParams& params,
                                      Tensor dx) {
    const std::int64_t channels = x.shape[3];
    for_each_window(x.shape, params, [&](std::int64_t small, std::int64_t large) {
        for (std::int64_t c = 0; c < channels; ++c) {
            const float largest = y.data[small + c];
            bool found = false;
            for_each_pixel(x.shape, params, [&](std::int64_t offset) {
                const float value = x.data[large + offset + c];
                const bool first = !found && (value == largest || value != value);
                dx.data[large + offset + c] = first ? dy.data[small + c] : 0.0F;
                found = found || first;
            });
        }
    });
}

}  // namespace deepfreq
