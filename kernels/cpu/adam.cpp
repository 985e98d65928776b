#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/parts.h"
#include "kernels/math.h"

namespace deepfreq {

void CpuKernels::do_adam(Tensor w, ConstTensor dw, Tensor m, Tensor v, const AdamParams& params,
                         TensorView<const StepState> state) {
    const math::AdamStep step = math::adam_step(params, *state.data);
    const std::int64_t size = w.elements();
#pragma omp parallel for simd schedule(static) if (parallel : size >= parallel_threshold)
    for (std::int64_t i = 0; i < size; ++i)
        math::adam_update(step, dw.data[i], w.data[i], m.data[i], v.data[i]);
}

}  // namespace deepfreq
