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

void CpuBackend::execute(const GatherRows& op) {
    const std::int64_t columns = op.source.columns();
    const std::int64_t first = op.state.data->sample;
    assert(first >= 0 && first + op.batch.rows() <= op.permutation.elements());
    const std::int32_t* const rows = op.permutation.data + first;
#pragma omp parallel for schedule(static) if (op.batch.elements() >= parallel_threshold)
    for (std::int64_t i = 0; i < op.batch.rows(); ++i)
        std::memcpy(op.batch.data + i * columns, op.source.data + rows[i] * columns,
                    static_cast<std::size_t>(columns) * sizeof(float));
}

void CpuBackend::execute(const GatherAugmentedImages& op) {
    const std::int64_t height = op.source.shape[1], width = op.source.shape[2], channels = op.source.shape[3];
    const std::int64_t first = op.state.data->sample;
    assert(first >= 0 && first + op.batch.rows() <= op.permutation.elements());
#pragma omp parallel for schedule(static) if (op.batch.elements() >= parallel_threshold)
    for (std::int64_t i = 0; i < op.batch.rows(); ++i) {
        const Augmentation change = Augmentation::draw(op.params, op.state.data->update, i);
        const float* const image = op.source.data + op.permutation.data[first + i] * op.source.columns();
        float* pixel = op.batch.data + i * op.batch.columns();
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

void CpuBackend::execute(const RandomPermutation& op) {
    const Philox random(op.seed, RandomUse::Batches, op.epoch);
    const std::int64_t n = op.permutation.elements();
    // Sorted by (key, index), so that equal keys, however rare, keep their order on every backend.
    std::vector<std::pair<std::uint64_t, std::int32_t>> order(static_cast<std::size_t>(n));
    for (std::int64_t i = 0; i < n; ++i)
        order[static_cast<std::size_t>(i)] = {random.word64(static_cast<std::uint64_t>(i)),
                                              static_cast<std::int32_t>(i)};
    std::sort(order.begin(), order.end());
    std::transform(order.begin(), order.end(), op.permutation.data,
                   [](const auto& entry) { return entry.second; });
}

void CpuBackend::execute(const Advance& op) {
    op.state.data->sample += op.samples;
    ++op.state.data->step;
    ++op.state.data->update;
}

}  // namespace deepfreq
