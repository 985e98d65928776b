#include "kernels/cuda/network_device.h"

#include <algorithm>

#include "kernels/cuda/check.h"
#include "kernels/cuda/four.h"

namespace deepfreq::cuda {

NetworkDevice::NetworkDevice(const TakenDevice& device, Precision precision)
    : StreamDevice(device),
      workspace_(stream()),
      side_workspace_(side_stream_),
      sums_workspace_(stream()),
      gemm_(precision, workspace_),
      side_gemm_(precision, side_workspace_),
      convolutions_(precision, workspace_),
      partial_sums_(static_cast<double*>(sums_workspace_.take(partial_sum_doubles * sizeof(double)))) {}

// Members are destroyed in reverse order: what is still queued must not outlive the memory it uses.
NetworkDevice::~NetworkDevice() {
    cudaStreamSynchronize(stream());
    cudaStreamSynchronize(side_stream_);
}

bool NetworkDevice::multiply_and_add_bias(const GemmTask& task, const float* a, const float* b, float* c,
                                          const float* bias) {
    // cuBLASLt need not support a bias at a misaligned address, or for a single row or column.
    if (!on_16_bytes(bias) || std::min({task.m, task.n, task.k}) <= 1) return false;
    return gemm_.with_bias(task, a, b, c, bias);
}

void NetworkDevice::fork() {
    DEEPFREQ_CUDA(cudaEventRecord(fork_, stream()));
    DEEPFREQ_CUDA(cudaStreamWaitEvent(side_stream_, fork_, 0));
}

void NetworkDevice::join() {
    DEEPFREQ_CUDA(cudaEventRecord(join_, side_stream_));
    DEEPFREQ_CUDA(cudaStreamWaitEvent(stream(), join_, 0));
}

}  // namespace deepfreq::cuda
