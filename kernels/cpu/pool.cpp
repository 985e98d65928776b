#include <algorithm>

#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/parts.h"

namespace deepfreq {
namespace {

/// Calls work(small, large) for every window of the large image. The arguments are the offsets of the
/// channels of its pixel in the pooled image, and of its first pixel in the large one.
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

/// Calls work(offset) for the window's pixels, row by row, with the offset of their channels from the first
/// pixel's.
template <class Work>
void for_each_pixel(const Shape& large, const PoolParams& params, const Work& work) {
    for (std::int64_t row = 0; row < params.height; ++row)
        for (std::int64_t column = 0; column < params.width; ++column)
            work((row * large[2] + column) * large[3]);
}

}  // namespace

void CpuBackend::execute(const AveragePoolForward& op) {
    const std::int64_t channels = op.x.shape[3];
    const float share = 1.0F / static_cast<float>(op.params.height * op.params.width);
    for_each_window(op.x.shape, op.params, [&](std::int64_t small, std::int64_t large) {
        float* const mean = op.y.data + small;
        std::fill_n(mean, channels, 0.0F);
        for_each_pixel(op.x.shape, op.params, [&](std::int64_t offset) {
            const float* const pixel = op.x.data + large + offset;
#pragma omp simd
            for (std::int64_t c = 0; c < channels; ++c) mean[c] += pixel[c];
        });
#pragma omp simd
        for (std::int64_t c = 0; c < channels; ++c) mean[c] *= share;
    });
}

void CpuBackend::execute(const AveragePoolBackward& op) {
    const std::int64_t channels = op.dx.shape[3];
    const float share = 1.0F / static_cast<float>(op.params.height * op.params.width);
    for_each_window(op.dx.shape, op.params, [&](std::int64_t small, std::int64_t large) {
        const float* const gradient = op.dy.data + small;
        for_each_pixel(op.dx.shape, op.params, [&](std::int64_t offset) {
            float* const pixel = op.dx.data + large + offset;
#pragma omp simd
            for (std::int64_t c = 0; c < channels; ++c) pixel[c] = gradient[c] * share;
        });
    });
}

void CpuBackend::execute(const MaxPoolForward& op) {
    const std::int64_t channels = op.x.shape[3];
    for_each_window(op.x.shape, op.params, [&](std::int64_t small, std::int64_t large) {
        float* const largest = op.y.data + small;
        std::copy_n(op.x.data + large, channels, largest);
        for_each_pixel(op.x.shape, op.params, [&](std::int64_t offset) {
            const float* const pixel = op.x.data + large + offset;
#pragma omp simd
            for (std::int64_t c = 0; c < channels; ++c) {
                // The second test makes NaN win. Nothing is larger than NaN, so it stays.
                const bool wins = pixel[c] > largest[c] || pixel[c] != pixel[c];
                largest[c] = wins ? pixel[c] : largest[c];
            }
        });
    });
}

void CpuBackend::execute(const MaxPoolBackward& op) {
    const std::int64_t channels = op.x.shape[3];
    for_each_window(op.x.shape, op.params, [&](std::int64_t small, std::int64_t large) {
        for (std::int64_t c = 0; c < channels; ++c) {
            const float largest = op.y.data[small + c];
            bool found = false;
            for_each_pixel(op.x.shape, op.params, [&](std::int64_t offset) {
                const float value = op.x.data[large + offset + c];
                const bool first = !found && (value == largest || value != value);
                op.dx.data[large + offset + c] = first ? op.dy.data[small + c] : 0.0F;
                found = found || first;
            });
        }
    });
}

}  // namespace deepfreq
