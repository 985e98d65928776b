#include <cuda_runtime_api.h>
#include <cudnn.h>

#include "common/error.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/device_precision.h"
#include "kernels/cuda/open_cuda.h"
#include "kernels/cuda/usable_device.h"

namespace deepfreq {
namespace {

std::string device_line(int index) {
    cudaDeviceProp properties{};
    const cudaError_t status = cudaGetDeviceProperties(&properties, index);
    if (status != cudaSuccess) return fmt::format("cuda:{}: {}", index, cudaGetErrorString(status));
    return fmt::format("cuda:{}: {}, compute capability {}.{}, {} multiprocessors, {:.1f} GiB", index,
                       properties.name, properties.major, properties.minor, properties.multiProcessorCount,
                       static_cast<double>(properties.totalGlobalMem) / 0x1p30);
}

}  // namespace

std::unique_ptr<Backend> open_cuda_backend(int index, Precision precision) {
    cuda::use_device(index);
    cudaDeviceProp properties{};
    DEEPFREQ_CUDA(cudaGetDeviceProperties(&properties, index));
    if (const std::string reason =
            cuda::why_no_such_precision(properties.name, properties.major, properties.minor, precision);
        !reason.empty())
        throw InputError(Remedy::UseFloat32, "{}", reason);
    return std::make_unique<CudaBackend>(index, cuda::chosen_precision(properties.major, precision));
}

CudaFacts cuda_facts() {
    const cuda::DriverFacts found = cuda::ask_driver();
    CudaFacts facts;
    facts.built = true;
    facts.architectures = cuda::built_architectures();
    facts.toolkit = cuda::version_text(CUDART_VERSION);
    facts.driver = found.driver == 0 ? "none" : cuda::version_text(found.driver);
    facts.unavailable = cuda::why_unavailable(found);
    for (int index = 0; index < found.devices; ++index) facts.devices.push_back(device_line(index));
    facts.libraries = {{"CUDA runtime", cuda::version_text(found.runtime)},
                       {"cuBLASLt", cuda::library_version_text(cublasLtGetVersion())},
                       {"cuDNN", cuda::library_version_text(cudnnGetVersion())}};
    return facts;
}

}  // namespace deepfreq
