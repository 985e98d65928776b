#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/parts.h"
#include "kernels/dropout.h"

namespace deepfreq {
namespace {

/// y = x mask / (1 - rate) over the groups [first, last). The mask is passed by value, so the compiler knows
/// that no write to y can change it and vectorises the draws (3.7 ms instead of 9 for 4 million elements).
void drop(const DropoutMask mask, std::int64_t update, std::int64_t first, std::int64_t last, const float* x,
          float* y) {
    constexpr int group = DropoutMask::group;
    for (std::int64_t g = first; g < last; ++g) {
        float factor[group];
        mask.draw(update, g, factor);
        for (int k = 0; k < group; ++k) y[g * group + k] = x[g * group + k] * factor[k];
    }
}

}  // namespace

void CpuBackend::execute(const Add& op) {
    const std::int64_t size = op.x.elements();
#pragma omp parallel for simd schedule(static) if (parallel : size >= parallel_threshold)
    for (std::int64_t i = 0; i < size; ++i) op.y.data[i] += op.x.data[i];
}

void CpuBackend::execute(const ApplyDropout& op) {
    constexpr int group = DropoutMask::group;
    const DropoutMask mask(op.params);
    const std::int64_t size = op.x.elements(), whole = size / group, update = op.state.data->update;
    for_each_part(whole, size, [&](int, std::int64_t first, std::int64_t last) {
        drop(mask, update, first, last, op.x.data, op.y.data);
    });
    if (whole * group == size) return;
    float factor[group];
    mask.draw(update, whole, factor);
    for (std::int64_t i = whole * group; i < size; ++i)
        op.y.data[i] = op.x.data[i] * factor[i - whole * group];
}

}  // namespace deepfreq
