#pragma once

#include <cub/device/device_radix_sort.cuh>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/cuda/handles.h"
#include "kernels/cuda/launch.cuh"

namespace deepfreq::cuda {

/// What an operation that is more than one launch needs of a device: memory for the moment, kernels, sorting,
/// and the way to the host. This one is a stream; the tests have another with the same members,
/// tests/host_device.h, so that they run the very same operation without a GPU.
class StreamDevice {
  public:
    template <class T>
    using Memory = Temporary<T>;

    explicit StreamDevice(cudaStream_t stream) : stream_(stream) {}

    template <class T>
    Memory<T> take(std::int64_t count) {
        return Memory<T>(stream_, static_cast<std::size_t>(count));
    }

    template <class Kernel>
    void each(std::int64_t count, const Kernel& kernel) {
        launch_each(stream_, count, kernel);
    }

    template <class Kernel>
    void blocks(std::int64_t count, const Kernel& kernel) {
        launch_blocks(stream_, count, kernel);
    }

    /// sorted_key[n] and sorted_value[n]: in ascending order of the keys, equal keys in the order they had.
    template <class Key>
    void sort(const Key* key, const std::int32_t* value, Key* sorted_key, std::int32_t* sorted_value,
              std::int64_t n) {
        const auto radix_sort = [&](void* workspace, std::size_t& bytes) {
            DEEPFREQ_CUDA(cub::DeviceRadixSort::SortPairs(workspace, bytes, key, sorted_key, value,
                                                          sorted_value, n, 0,
                                                          static_cast<int>(8 * sizeof(Key)), stream_));
        };
        std::size_t bytes = 0;
        radix_sort(nullptr, bytes);
        const Temporary<std::byte> workspace(stream_, std::max<std::size_t>(bytes, 1));
        radix_sort(workspace.data(), bytes);
    }

    /// Waits for the device.
    template <class T>
    std::vector<T> read(const T* from, std::int64_t count) {
        std::vector<T> to(static_cast<std::size_t>(count));
        DEEPFREQ_CUDA(
            cudaMemcpyAsync(to.data(), from, to.size() * sizeof(T), cudaMemcpyDeviceToHost, stream_));
        DEEPFREQ_CUDA(cudaStreamSynchronize(stream_));
        return to;
    }

    /// Waits for the device: the host's memory may be gone afterwards.
    template <class T>
    void write(const std::vector<T>& from, T* to) {
        DEEPFREQ_CUDA(
            cudaMemcpyAsync(to, from.data(), from.size() * sizeof(T), cudaMemcpyHostToDevice, stream_));
        DEEPFREQ_CUDA(cudaStreamSynchronize(stream_));
    }

  private:
    cudaStream_t stream_;
};

}  // namespace deepfreq::cuda
