#include <nanobind/ndarray.h>

#include "kernels/cuda/cuda_kernels.h"
#include "kernels/cuda/measuring_backend.h"
#include "python/src/backend.h"

namespace deepfreq::python {

const int memory_kind = nanobind::device::cuda::value;

std::unique_ptr<MeasuringKernels> open_kernels(int index) {
    return open_cuda_measuring_kernels(index);
}

std::string why_unavailable() {
    return cuda_unavailable();
}

std::uintptr_t stream_of(const MeasuringKernels& kernels) {
    return reinterpret_cast<std::uintptr_t>(dynamic_cast<const CudaMeasuringKernels&>(kernels).stream());
}

}  // namespace deepfreq::python
