#include "kernels/cuda/check.h"

#include <filesystem>
#include <string>

#include "common/error.h"

namespace deepfreq::cuda {
namespace {

/// "cuda:0 (NVIDIA H100)", or just "cuda" if even that cannot be determined.
std::string current_device() {
    int index = -1;
    cudaDeviceProp properties{};
    if (cudaGetDevice(&index) != cudaSuccess) return "cuda";
    std::string name = "cuda:" + std::to_string(index);
    if (cudaGetDeviceProperties(&properties, index) != cudaSuccess) return name;
    return fmt::format("{} ({})", name, properties.name);
}

std::string place(const char* file, int line) {
    return fmt::format("{}:{}", std::filesystem::path(file).filename().string(), line);
}

/// What the runtime's own text omits.
const char* explanation(cudaError_t status) {
    switch (status) {
        case cudaErrorInsufficientDriver:
            return "; a newer NVIDIA driver is needed";
        case cudaErrorIllegalAddress:
        case cudaErrorLaunchFailure:
        case cudaErrorMisalignedAddress:
            return "; this is a defect of deepfreq: compute-sanitizer shows where";
        case cudaErrorDevicesUnavailable:
            return "; another process has the device to itself";
        default:
            return "";
    }
}

Remedy remedy_for(cudaError_t status) {
    switch (status) {
        case cudaErrorInsufficientDriver:
            return Remedy::UseCpu;
        case cudaErrorNoKernelImageForDevice:
        case cudaErrorInvalidDeviceFunction:
        case cudaErrorUnsupportedPtxVersion:
            return Remedy::BuildForDevice;
        case cudaErrorIllegalAddress:
        case cudaErrorLaunchFailure:
        case cudaErrorMisalignedAddress:
            return Remedy::WithoutGraph;
        default:
            return Remedy::None;
    }
}

}  // namespace

void fail(const char* statement, const char* file, int line, const std::string& reason, Remedy remedy) {
    throw RunError(remedy, "{}: {} at {} failed: {}", current_device(), statement, place(file, line), reason);
}

void check(cudaError_t status, const char* statement, const char* file, int line) {
    if (status == cudaSuccess) return;
    cudaGetLastError();  // clears the error, so that the next call does not report it again
    fail(statement, file, line,
         fmt::format("{} ({}){}", cudaGetErrorString(status), cudaGetErrorName(status), explanation(status)),
         remedy_for(status));
}

void out_of_memory(std::size_t bytes) {
    cudaGetLastError();  // if caught, this is no failure: the next launch must not be blamed
    std::size_t free = 0;
    std::size_t total = 0;
    cudaMemGetInfo(&free, &total);
    throw OutOfMemory("{}: {:.1f} MiB asked for by one operation, {:.1f} MiB free", current_device(),
                      static_cast<double>(bytes) / 0x1p20, static_cast<double>(free) / 0x1p20);
}

}  // namespace deepfreq::cuda
