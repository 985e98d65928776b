#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <vector>

#include "kernels/cuda/handles.h"
#include "kernels/cuda/spectrum_shape.h"

namespace deepfreq::cuda {

namespace spectrum {
struct MatrixUnit;
}

/// A device in use, with the stream to which all its work goes, in order.
struct TakenDevice {
    /// Takes device `index`, which is the current device and usable.
    explicit TakenDevice(int index);
    /// Waits until everything queued is done.
    ~TakenDevice();
    TakenDevice(const TakenDevice&) = delete;
    TakenDevice& operator=(const TakenDevice&) = delete;

    int index;
    cudaDeviceProp properties{};
    Stream stream;
};

/// What an operation needs from a device: temporary memory, kernels, sorting, and transfers to the host. This
/// one is a stream. The tests have another with the same members, tests/host_device.h, so that they run the
/// very same operation without a GPU. Templates are defined in stream_device.cuh, for .cu files.
class StreamDevice {
  public:
    using MatrixUnit = spectrum::MatrixUnit;
    template <class T>
    using Memory = Temporary<T>;

    explicit StreamDevice(const TakenDevice& device);

    cudaStream_t stream() const { return stream_; }
    const spectrum::Limits& limits() const { return limits_; }

    /// While the result lives, this device is the current device of the thread.
    CurrentDevice make_current() const { return CurrentDevice(index_); }

    /// Uninitialised.
    template <class T>
    Memory<T> take(std::int64_t count) {
        return Memory<T>(stream_, static_cast<std::size_t>(count));
    }

    /// kernel(i) for i = 0 … count-1.
    template <class Kernel>
    void each(std::int64_t count, const Kernel& kernel);

    /// A kernel of blocks (block.h).
    template <class Kernel>
    void blocks(std::int64_t count, const Kernel& kernel);

    /// sorted_key[n] and sorted_value[n]: in ascending key order; equal keys keep their original order.
    template <class Key>
    void sort(const Key* key, const std::int32_t* value, Key* sorted_key, std::int32_t* sorted_value,
              std::int64_t n);

    /// Waits for the device.
    template <class T>
    std::vector<T> read(const T* from, std::int64_t count);

    /// Waits for the device, since the host's memory may be gone afterwards.
    template <class T>
    void write(const std::vector<T>& from, T* to);

  private:
    int index_;
    cudaStream_t stream_;
    spectrum::Limits limits_;
};

}  // namespace deepfreq::cuda
