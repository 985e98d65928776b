#include "kernels/cuda/usable_device.h"

#include <cuda_runtime_api.h>

#include "common/error.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/open_cuda.h"
#include "kernels/cuda/spectrum_backend.h"

namespace deepfreq {
namespace cuda {

DriverFacts ask_driver() {
    DriverFacts facts;
    cudaRuntimeGetVersion(&facts.runtime);
    // Answers 0 without a driver, and never fails for an old one.
    if (cudaDriverGetVersion(&facts.driver) != cudaSuccess) facts.driver = 0;
    const cudaError_t status = cudaGetDeviceCount(&facts.devices);
    if (status != cudaSuccess) {
        facts.devices = 0;
        if (status != cudaErrorNoDevice) facts.trouble = cudaGetErrorString(status);
        cudaGetLastError();
    }
    return facts;
}

const char* built_architectures() {
    return DEEPFREQ_CUDA_ARCHITECTURES;
}

void expect_usable(int index) {
    const DriverFacts facts = ask_driver();
    if (const std::string reason = why_unavailable(facts); !reason.empty())
        throw InputError(Remedy::UseCpu, "the device is cuda:{}, but {}", index, reason);
    if (const std::string reason = why_no_such_device(index, facts.devices); !reason.empty())
        throw InputError("{}", reason);
    cudaDeviceProp properties{};
    DEEPFREQ_CUDA(cudaGetDeviceProperties(&properties, index));
    if (const std::string reason =
            why_not_built_for(properties.name, properties.major, properties.minor, built_architectures());
        !reason.empty())
        throw InputError(Remedy::BuildForDevice, "{}", reason);
}

void use_device(int index) {
    expect_usable(index);
    DEEPFREQ_CUDA(cudaSetDevice(index));
}

}  // namespace cuda

std::string cuda_unavailable() {
    return cuda::why_unavailable(cuda::ask_driver());
}

std::unique_ptr<SpectrumBackend> open_cuda_spectrum_backend(int index) {
    cuda::expect_usable(index);
    const cuda::CurrentDevice current(index);
    return std::make_unique<CudaSpectrumBackend>(index);
}

}  // namespace deepfreq
