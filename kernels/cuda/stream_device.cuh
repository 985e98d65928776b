#pragma once

#include <cub/device/device_radix_sort.cuh>

#include <algorithm>
#include <cstddef>

#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/stream_device.h"

namespace deepfreq::cuda {

template <class Kernel>
void StreamDevice::each(std::int64_t count, const Kernel& kernel) {
    launch_each(stream_, count, kernel);
}

template <class Kernel>
void StreamDevice::blocks(std::int64_t count, const Kernel& kernel) {
    launch_blocks(stream_, count, kernel);
}

template <class Key>
void StreamDevice::sort(const Key* key, const std::int32_t* value, Key* sorted_key,
                        std::int32_t* sorted_value, std::int64_t n) {
    const auto radix_sort = [&](void* workspace, std::size_t& bytes) {
        DEEPFREQ_CUDA(cub::DeviceRadixSort::SortPairs(workspace, bytes, key, sorted_key, value, sorted_value,
                                                      n, 0, static_cast<int>(8 * sizeof(Key)), stream_));
    };
    std::size_t bytes = 0;
    radix_sort(nullptr, bytes);
    const Temporary<std::byte> workspace(stream_, std::max<std::size_t>(bytes, 1));
    radix_sort(workspace.data(), bytes);
}

template <class T>
std::vector<T> StreamDevice::read(const T* from, std::int64_t count) {
    std::vector<T> to(static_cast<std::size_t>(count));
    if (to.empty()) return to;
    DEEPFREQ_CUDA(cudaMemcpyAsync(to.data(), from, to.size() * sizeof(T), cudaMemcpyDeviceToHost, stream_));
    DEEPFREQ_CUDA(cudaStreamSynchronize(stream_));
    return to;
}

template <class T>
void StreamDevice::write(const std::vector<T>& from, T* to) {
    if (from.empty()) return;
    DEEPFREQ_CUDA(cudaMemcpyAsync(to, from.data(), from.size() * sizeof(T), cudaMemcpyHostToDevice, stream_));
    DEEPFREQ_CUDA(cudaStreamSynchronize(stream_));
}

}  // namespace deepfreq::cuda
