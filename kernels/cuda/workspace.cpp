#include "kernels/cuda/workspace.h"

#include "common/error.h"
#include "kernels/cuda/check.h"

namespace deepfreq::cuda {

Workspace::~Workspace() {
    outgrown_.push_back(block_.data);
    for (void* const data : outgrown_) cudaFree(data);
}

void* Workspace::take(std::size_t bytes) {
    const bool captured = is_captured();
    if (bytes > block_.bytes) {
        if (captured)
            throw RunError(
                "a captured operation needs a workspace of {} bytes, and there are {}: "
                "it must have run once before",
                bytes, block_.bytes);
        if (block_.captured)
            outgrown_.push_back(block_.data);
        else
            DEEPFREQ_CUDA(cudaFree(block_.data));  // waits for the device
        block_ = {};
        const cudaError_t status = cudaMalloc(&block_.data, bytes);
        if (status == cudaErrorMemoryAllocation) out_of_memory(bytes);
        DEEPFREQ_CUDA(status);
        block_.bytes = bytes;
    }
    block_.captured |= captured;
    return block_.data;
}

bool Workspace::is_captured() const {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    DEEPFREQ_CUDA(cudaStreamIsCapturing(stream_, &status));
    return status != cudaStreamCaptureStatusNone;
}

}  // namespace deepfreq::cuda
