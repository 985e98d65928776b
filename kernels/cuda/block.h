#pragma once

#include <cstdint>

#include "common/host_device.h"

#ifdef __CUDACC__
#include <cuda_pipeline.h>
#endif

// How our kernels are written, so that they also run without a GPU.
//
// A kernel is a plain struct: its members are the arguments, its operator() the code.
//
//  * One thread per element: `void operator()(std::int64_t i) const`, launched by launch_each(). The tests
//    call it for every i.
//  * Threads that cooperate: `template <class Block> void operator()(Block& block, Shared& shared) const`,
//    launched by launch_blocks(), with the members
//        struct Shared { … };                       what the block shares; uninitialised
//        static constexpr int threads = 256;        of a block
//    Block is DeviceBlock on the GPU; in the tests it is tests/host_block.h, whose threads are the host's and
//    whose barrier is std::barrier, under ThreadSanitizer too. A kernel reaches other threads through
//    `shared` and the members of Block only, and every thread of the block reaches every barrier.

namespace deepfreq::cuda {

#ifdef __CUDACC__
/// The hardware's block, one-dimensional.
class DeviceBlock {
  public:
    /// This thread's index in its block, 0 … threads-1.
    __device__ int thread() const { return static_cast<int>(threadIdx.x); }
    /// This block's index in its grid, 0 … blocks()-1.
    __device__ std::int64_t index() const { return blockIdx.x; }
    __device__ std::int64_t blocks() const { return gridDim.x; }
    /// Waits for all threads of the block. What they wrote is then visible to all.
    __device__ void barrier() const { __syncthreads(); }
    /// Adds to a number that the block shares, and returns its previous value.
    __device__ int fetch_add(int& shared, int value) const { return atomicAdd(&shared, value); }
    /// Sum over the 32 threads of this thread's warp, returned to each of them, always in the same order. All
    /// of them must call it.
    __device__ float warp_sum(float mine) const {
        for (int distance = 16; distance > 0; distance /= 2)
            mine += __shfl_xor_sync(0xFFFFFFFFU, mine, distance);
        return mine;
    }
    /// @name Copies to shared memory that go on while the thread does other things (from sm_80)
    /// Both ends are aligned to 16 bytes. A copy belongs to the group of the next commit_copies();
    /// wait_for_copies<Later>() returns when all groups of this thread except the last `Later` have arrived.
    /// @{
    __device__ void copy_16_bytes(void* shared, const void* global) const {
        __pipeline_memcpy_async(shared, global, 16);
    }
    __device__ void commit_copies() const { __pipeline_commit(); }
    template <int Later>
    __device__ void wait_for_copies() const {
        __pipeline_wait_prior(Later);
    }
    /// @}
};
#endif

/// Sum of `mine` over the threads of a block, for thread 0, in an order fixed by the number of threads (a
/// power of two). `terms` is shared memory with one entry per thread, free again after the block's next
/// barrier.
template <int Threads, class T, class Block>
DEEPFREQ_HOST_DEVICE T block_sum(Block& block, T* terms, T mine) {
    static_assert((Threads & (Threads - 1)) == 0, "a tree of sums wants a power of two");
    const int thread = block.thread();
    terms[thread] = mine;
    for (int width = Threads / 2; width > 0; width /= 2) {
        block.barrier();
        if (thread < width) terms[thread] += terms[thread + width];
    }
    return terms[thread];
}

}  // namespace deepfreq::cuda
