#include "kernels/cuda/cuda_backend.h"

namespace deepfreq {

CudaBackend::CudaBackend(int index_of_device, Precision precision)
    : CudaSpectrumBackend(index_of_device), BackendOn(taken_device(), precision), precision_(precision) {}

std::string CudaBackend::description() const {
    return fmt::format("{}, {}", CudaSpectrumBackend::description(), precision_name(precision_));
}

}  // namespace deepfreq
