#include "kernels/cuda/cuda_backend.h"

#include <algorithm>

namespace deepfreq {

CudaKernels::CudaKernels(int index, Precision precision)
    : CudaMeasuringKernels(index),
      precision_(precision),
      gemm_(precision, workspace_),
      side_gemm_(precision, side_workspace_),
      convolutions_(precision, workspace_) {
    partial_sums_ = allocate(std::max<std::size_t>(partial_sums, cuda::channel_sum_doubles) * sizeof(double));
}

// The members end in the reverse of their order: what is still queued must not outlive the memory it uses.
CudaKernels::~CudaKernels() {
    cudaStreamSynchronize(stream_);
    cudaStreamSynchronize(side_stream_);
}

std::string CudaKernels::description() const {
    return fmt::format("{}, {}", CudaMeasuringKernels::description(), precision_name(precision_));
}

}  // namespace deepfreq
