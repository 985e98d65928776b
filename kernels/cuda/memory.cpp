#include <cuda_runtime_api.h>

#include "kernels/cuda/check.h"
#include "kernels/cuda/device.h"
#include "kernels/cuda/measuring_backend.h"

namespace deepfreq {
namespace {

// A temporary's memory goes back to CUDA's pool, not to the driver, so that the next one costs nothing; a
// spectrum takes up to half a GiB.
void keep_pool_memory(int device) {
    cudaMemPool_t pool = nullptr;
    DEEPFREQ_CUDA(cudaDeviceGetDefaultMemPool(&pool, device));
    std::uint64_t kept = std::uint64_t{1} << 30;
    DEEPFREQ_CUDA(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &kept));
}

}  // namespace

CudaMeasuringKernels::CudaMeasuringKernels(int index) : index_(index) {
    DEEPFREQ_CUDA(cudaGetDeviceProperties(&properties_, index));
    keep_pool_memory(index);
}

CudaMeasuringKernels::~CudaMeasuringKernels() {
    // Not the whole device: another thread's backend may be recording, which that would spoil.
    cudaStreamSynchronize(stream_);
}

std::string CudaMeasuringKernels::description() const {
    int driver = 0;
    DEEPFREQ_CUDA(cudaDriverGetVersion(&driver));
    return fmt::format("cuda:{}: {}, {} multiprocessors, {:.1f} GiB, CUDA {} (driver serves {})", index_,
                       properties_.name, properties_.multiProcessorCount,
                       static_cast<double>(properties_.totalGlobalMem) / 0x1p30,
                       cuda::version_text(CUDART_VERSION), cuda::version_text(driver));
}

void CudaMeasuringKernels::synchronize() {
    const cuda::CurrentDevice current(index_);
    DEEPFREQ_CUDA(cudaStreamSynchronize(stream_));
}

void* CudaMeasuringKernels::do_allocate(std::size_t bytes) {
    const cuda::CurrentDevice current(index_);
    void* data = nullptr;
    // 0 bytes are no memory to CUDA, but no lack of it either.
    const cudaError_t status = cudaMalloc(&data, bytes > 0 ? bytes : 1);
    if (status == cudaErrorMemoryAllocation) {
        cudaGetLastError();
        return nullptr;
    }
    DEEPFREQ_CUDA(status);
    return data;
}

void CudaMeasuringKernels::do_release(void* data) noexcept {
    cudaFree(data);  // waits for the device: nothing still uses the memory
}

std::size_t CudaMeasuringKernels::do_free_bytes() const {
    const cuda::CurrentDevice current(index_);
    std::size_t free = 0;
    std::size_t total = 0;
    DEEPFREQ_CUDA(cudaMemGetInfo(&free, &total));
    return free;
}

void CudaMeasuringKernels::do_upload(const void* host, void* device, std::size_t bytes) {
    const cuda::CurrentDevice current(index_);
    if (bytes == 0) return;
    DEEPFREQ_CUDA(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, stream_));
    synchronize();  // the host's memory may be gone when this returns
}

void CudaMeasuringKernels::do_download(const void* device, void* host, std::size_t bytes) {
    const cuda::CurrentDevice current(index_);
    if (bytes > 0) DEEPFREQ_CUDA(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, stream_));
    synchronize();
}

void CudaMeasuringKernels::do_copy(const void* from, void* to, std::size_t bytes) {
    const cuda::CurrentDevice current(index_);
    if (bytes > 0) DEEPFREQ_CUDA(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_));
}

void CudaMeasuringKernels::do_zero(void* data, std::size_t bytes) {
    const cuda::CurrentDevice current(index_);
    if (bytes > 0) DEEPFREQ_CUDA(cudaMemsetAsync(data, 0, bytes, stream_));
}

}  // namespace deepfreq
