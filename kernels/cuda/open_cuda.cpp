#include <cuda_runtime_api.h>
#include <cudnn.h>

#include "common/error.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/cuda_kernels.h"
#include "kernels/cuda/device.h"

namespace deepfreq {
namespace {

// As CMake has them, separated by blanks.
constexpr const char* architectures = DEEPFREQ_CUDA_ARCHITECTURES;

cuda::DriverFacts ask_driver() {
    cuda::DriverFacts facts;
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

std::string device_line(int index) {
    cudaDeviceProp properties{};
    const cudaError_t status = cudaGetDeviceProperties(&properties, index);
    if (status != cudaSuccess) return fmt::format("cuda:{}: {}", index, cudaGetErrorString(status));
    return fmt::format("cuda:{}: {}, compute capability {}.{}, {} multiprocessors, {:.1f} GiB", index,
                       properties.name, properties.major, properties.minor, properties.multiProcessorCount,
                       static_cast<double>(properties.totalGlobalMem) / 0x1p30);
}

}  // namespace

std::string cuda_unavailable() {
    return cuda::why_unavailable(ask_driver());
}

std::unique_ptr<Kernels> open_cuda_kernels(int index, Precision precision) {
    const cuda::DriverFacts facts = ask_driver();
    if (const std::string reason = cuda::why_unavailable(facts); !reason.empty())
        throw InputError("--device is cuda:{}, but {}, or use --device cpu", index, reason);
    if (const std::string reason = cuda::why_no_such_device(index, facts.devices); !reason.empty())
        throw InputError("{}", reason);
    cudaDeviceProp properties{};
    DEEPFREQ_CUDA(cudaGetDeviceProperties(&properties, index));
    for (const std::string& reason :
         {cuda::why_not_built_for(properties.name, properties.major, properties.minor, architectures),
          cuda::why_no_such_precision(properties.name, properties.major, properties.minor, precision)})
        if (!reason.empty()) throw InputError("{}", reason);
    DEEPFREQ_CUDA(cudaSetDevice(index));
    return std::make_unique<CudaKernels>(index, cuda::chosen_precision(properties.major, precision));
}

CudaFacts cuda_facts() {
    const cuda::DriverFacts found = ask_driver();
    CudaFacts facts;
    facts.built = true;
    facts.architectures = architectures;
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
