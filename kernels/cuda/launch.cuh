#pragma once

#include <cuda_runtime.h>

#include "kernels/cuda/block.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/launch_shape.h"

// The two ways of running a kernel (block.h) on the device. All work goes to the given stream.

namespace deepfreq::cuda {

/// Shared memory that a block gets by default.
inline constexpr std::size_t shared_bytes_unasked = 48 * 1024;

template <class Kernel>
__global__ void __launch_bounds__(default_threads) run_each(Kernel kernel, std::int64_t count) {
    const std::int64_t i = std::int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
    if (i < count) kernel(i);
}

/// kernel(i) for i = 0 … count-1, one thread per i.
template <class Kernel>
void launch_each(cudaStream_t stream, std::int64_t count, const Kernel& kernel) {
    if (count == 0) return;
    const auto blocks = static_cast<unsigned>(blocks_for(count, default_threads));
    run_each<<<blocks, default_threads, 0, stream>>>(kernel, count);
    DEEPFREQ_CUDA(cudaGetLastError());
}

/// Number of blocks that must fit on a multiprocessor together, which limits the registers:
/// Kernel::blocks_at_once if it exists. Without such a bound the compiler spills registers to fit one more
/// block.
template <class Kernel>
constexpr int blocks_at_once() {
    if constexpr (requires { Kernel::blocks_at_once; })
        return Kernel::blocks_at_once;
    else
        return 0;  // as if unspecified
}

template <class Kernel>
__global__ void __launch_bounds__(Kernel::threads, blocks_at_once<Kernel>()) run_blocks(Kernel kernel) {
    extern __shared__ __align__(128) unsigned char shared[];
    DeviceBlock block;
    kernel(block, *reinterpret_cast<typename Kernel::Shared*>(shared));
}

/// `blocks` blocks of Kernel::threads threads, with a Kernel::Shared each.
template <class Kernel>
void launch_blocks(cudaStream_t stream, std::int64_t blocks, const Kernel& kernel) {
    constexpr std::size_t bytes = sizeof(typename Kernel::Shared);
    if constexpr (bytes > shared_bytes_unasked)
        DEEPFREQ_CUDA(cudaFuncSetAttribute(run_blocks<Kernel>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                           static_cast<int>(bytes)));
    run_blocks<<<static_cast<unsigned>(blocks), Kernel::threads, bytes, stream>>>(kernel);
    DEEPFREQ_CUDA(cudaGetLastError());
}

}  // namespace deepfreq::cuda
