#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/parts.h"
#include "kernels/math.h"

namespace deepfreq {

void CpuBackend::execute(const Adam& op) {
    const math::AdamStep step = math::adam_step(op.params, *op.state.data);
    const std::int64_t size = op.w.elements();
#pragma omp parallel for simd schedule(static) if (parallel : size >= parallel_threshold)
    for (std::int64_t i = 0; i < size; ++i)
        math::adam_update(step, op.dw.data[i], op.w.data[i], op.m.data[i], op.v.data[i]);
}

}  // namespace deepfreq
