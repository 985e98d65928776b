#include <nanobind/ndarray.h>

#include "kernels/cuda/open_cuda.h"
#include "kernels/cuda/spectrum_backend.h"
#include "python/src/backend.h"

namespace deepfreq::python {

const int memory_kind = nanobind::device::cuda::value;

std::unique_ptr<SpectrumBackend> open_backend(int index) {
    return open_cuda_spectrum_backend(index);
}

std::string why_unavailable() {
    return cuda_unavailable();
}

std::uintptr_t stream_of(const SpectrumBackend& backend) {
    return reinterpret_cast<std::uintptr_t>(dynamic_cast<const CudaSpectrumBackend&>(backend).cuda_stream());
}

}  // namespace deepfreq::python
