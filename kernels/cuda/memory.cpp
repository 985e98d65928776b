#include <cuda_runtime_api.h>

#include "kernels/cuda/check.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/spectrum_backend.h"

namespace deepfreq {

std::string CudaSpectrumBackend::description() const {
    int driver = 0;
    DEEPFREQ_CUDA(cudaDriverGetVersion(&driver));
    return fmt::format("cuda:{}: {}, {} multiprocessors, {:.1f} GiB, CUDA {} (driver serves {})", index,
                       properties.name, properties.multiProcessorCount,
                       static_cast<double>(properties.totalGlobalMem) / 0x1p30,
                       cuda::version_text(CUDART_VERSION), cuda::version_text(driver));
}

void CudaSpectrumBackend::synchronize() {
    const cuda::CurrentDevice current(index);
    DEEPFREQ_CUDA(cudaStreamSynchronize(stream));
}

void* CudaSpectrumBackend::allocate_bytes(std::size_t bytes) {
    const cuda::CurrentDevice current(index);
    void* data = nullptr;
    // For 0 bytes CUDA returns no memory, but that does not mean it ran out.
    const cudaError_t status = cudaMalloc(&data, bytes > 0 ? bytes : 1);
    if (status == cudaErrorMemoryAllocation) {
        cudaGetLastError();
        return nullptr;
    }
    DEEPFREQ_CUDA(status);
    return data;
}

void CudaSpectrumBackend::release_bytes(void* data) noexcept {
    cudaFree(data);  // waits for the device: nothing still uses the memory
}

std::size_t CudaSpectrumBackend::free_bytes() const {
    const cuda::CurrentDevice current(index);
    std::size_t free = 0;
    std::size_t total = 0;
    DEEPFREQ_CUDA(cudaMemGetInfo(&free, &total));
    return free;
}

void CudaSpectrumBackend::upload_bytes(const void* host, void* device, std::size_t bytes) {
    const cuda::CurrentDevice current(index);
    if (bytes == 0) return;
    DEEPFREQ_CUDA(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, stream));
    synchronize();  // the host's memory may be gone when this returns
}

void CudaSpectrumBackend::download_bytes(const void* device, void* host, std::size_t bytes) {
    const cuda::CurrentDevice current(index);
    if (bytes > 0) DEEPFREQ_CUDA(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, stream));
    synchronize();
}

void CudaSpectrumBackend::copy_bytes(const void* from, void* to, std::size_t bytes) {
    const cuda::CurrentDevice current(index);
    if (bytes > 0) DEEPFREQ_CUDA(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream));
}

void CudaSpectrumBackend::zero_bytes(void* data, std::size_t bytes) {
    const cuda::CurrentDevice current(index);
    if (bytes > 0) DEEPFREQ_CUDA(cudaMemsetAsync(data, 0, bytes, stream));
}

}  // namespace deepfreq
