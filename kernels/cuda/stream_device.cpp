#include "kernels/cuda/stream_device.h"

#include "kernels/cuda/check.h"
#include "kernels/cuda/spectrum_tile.h"

namespace deepfreq::cuda {
namespace {

// Temporary memory goes back to CUDA's pool, not to the driver, so that the next allocation costs nothing. A
// spectrum takes up to a GiB for its sums, and 8 bytes per feature.
void keep_pool_memory(int device) {
    cudaMemPool_t pool = nullptr;
    DEEPFREQ_CUDA(cudaDeviceGetDefaultMemPool(&pool, device));
    std::uint64_t threshold = std::uint64_t{2} << 30;
    DEEPFREQ_CUDA(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &threshold));
}

spectrum::Limits limits_of(const cudaDeviceProp& properties) {
    spectrum::Limits limits;
    // Registers leave room for two blocks per multiprocessor.
    limits.resident_blocks = std::int64_t{2} * properties.multiProcessorCount;
    limits.tiles_at_once =
        spectrum::tiles_that_fit(properties.sharedMemPerBlockOptin, properties.sharedMemPerMultiprocessor);
    return limits;
}

}  // namespace

TakenDevice::TakenDevice(int taken) : index(taken) {
    DEEPFREQ_CUDA(cudaGetDeviceProperties(&properties, index));
    keep_pool_memory(index);
}

TakenDevice::~TakenDevice() {
    // Not the whole device: another thread's backend may be capturing, and that would invalidate the capture.
    cudaStreamSynchronize(stream);
}

StreamDevice::StreamDevice(const TakenDevice& device)
    : index_(device.index), stream_(device.stream), limits_(limits_of(device.properties)) {}

}  // namespace deepfreq::cuda
