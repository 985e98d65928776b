#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/parts.h"

namespace deepfreq {

void CpuKernels::do_add(ConstTensor x, Tensor y) {
    const std::int64_t size = x.elements();
#pragma omp parallel for simd schedule(static) if (parallel : size >= parallel_threshold)
    for (std::int64_t i = 0; i < size; ++i) y.data[i] += x.data[i];
}

}  // namespace deepfreq
