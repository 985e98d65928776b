#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>
#include <vector>

#include "common/philox.h"
#include "kernels/augmentation.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/parts.h"

namespace deepfreq {

void CpuKernels::do_gather_rows(ConstTensor source, TensorView<const std::int32_t> permutation,
                                TensorView<const StepState> state, Tensor batch) {
    const std::int64_t columns = source.columns();
    const std::int64_t first = state.data->sample;
    assert(first >= 0 && first + batch.rows() <= permutation.elements());
    const std::int32_t* const rows = permutation.data + first;
#pragma omp parallel for schedule(static) if (batch.elements() >= parallel_threshold)
    for (std::int64_t i = 0; i < batch.rows(); ++i)
        std::memcpy(batch.data + i * columns, source.data + rows[i] * columns,
                    static_cast<std::size_t>(columns) * sizeof(float));
}

void CpuKernels::do_gather_augmented_images(ConstTensor source, TensorView<const std::int32_t> permutation,
                                            TensorView<const StepState> state, const AugmentParams& params,
                                            Tensor batch) {
    const std::int64_t height = source.shape[1], width = source.shape[2], channels = source.shape[3];
    const std::int64_t first = state.data->sample;
    assert(first >= 0 && first + batch.rows() <= permutation.elements());
#pragma omp parallel for schedule(static) if (batch.elements() >= parallel_threshold)
    for (std::int64_t i = 0; i < batch.rows(); ++i) {
        const Augmentation change = Augmentation::draw(params, state.data->update, i);
        const float* const image = source.data + permutation.data[first + i] * source.columns();
        float* pixel = batch.data + i * batch.columns();
        for (std::int64_t r = 0; r < height; ++r)
            for (std::int64_t s = 0; s < width; ++s, pixel += channels) {
                const std::int64_t from = change.source(r, s, height, width);
                if (from < 0)
                    std::fill_n(pixel, channels, 0.0F);
                else
                    std::copy_n(image + from * channels, channels, pixel);
            }
    }
}

void CpuKernels::do_random_permutation(TensorView<std::int32_t> permutation, std::uint64_t seed,
                                       std::uint32_t epoch) {
    const Philox random(seed, RandomUse::Batches, epoch);
    const std::int64_t n = permutation.elements();
    // Sorted by (key, index): equal keys, however rare, keep their order on every backend.
    std::vector<std::pair<std::uint64_t, std::int32_t>> order(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i)
        order[static_cast<std::size_t>(i)] = {random.word64(static_cast<std::uint64_t>(i)),
                                              static_cast<std::int32_t>(i)};
    std::sort(order.begin(), order.end());
    std::transform(order.begin(), order.end(), permutation.data,
                   [](const auto& entry) { return entry.second; });
}

void CpuKernels::do_advance(TensorView<StepState> state, std::int64_t samples) {
    state.data->sample += samples;
    ++state.data->step;
    ++state.data->update;
}

}  // namespace deepfreq
