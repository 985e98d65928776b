#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <type_traits>

#include "kernels/buffer.h"

namespace deepfreq {

/// The memory of a device. Queued work runs in order; only download() and synchronize() wait for it.
class DeviceMemory {
  public:
    DeviceMemory() = default;
    DeviceMemory(const DeviceMemory&) = delete;
    DeviceMemory& operator=(const DeviceMemory&) = delete;
    virtual ~DeviceMemory() = default;

    /// Device and libraries in one line, for the log and the manifest.
    virtual std::string description() const = 0;

    /// Allocates uninitialised memory. Throws OutOfMemory if there is not enough.
    Buffer allocate(std::size_t bytes);

    /// Allocates memory for a float tensor and fills it with zeros.
    Buffer allocate_zeros(Shape shape);

    /// Bytes that could still be allocated.
    virtual std::size_t free_bytes() const = 0;

    /// Copies host memory to the device; sizes must agree.
    template <class T>
    void upload(std::span<const T> host, TensorView<std::type_identity_t<T>> device) {
        check_sizes("upload", host.size_bytes(), bytes_of(device));
        upload_bytes(host.data(), device.data, host.size_bytes());
    }

    /// Waits for the device and copies its memory to the host; sizes must agree.
    template <class T>
    void download(TensorView<const std::type_identity_t<T>> device, std::span<T> host) {
        check_sizes("download", bytes_of(device), host.size_bytes());
        download_bytes(device.data, host.data(), host.size_bytes());
    }

    /// Copies `from` to `to`; both must have the same number of elements.
    void copy(ConstTensor from, Tensor to);

    /// Sets every byte to 0.
    template <class T>
    void zero(TensorView<T> x) {
        zero_bytes(x.data, bytes_of(x));
    }

    /// Returns when everything queued so far is done.
    virtual void synchronize() = 0;

  private:
    friend class Buffer;

    template <class T>
    static std::size_t bytes_of(const TensorView<T>& x) {
        return static_cast<std::size_t>(x.elements()) * sizeof(T);
    }
    static void check_sizes(const char* operation, std::size_t from, std::size_t to);

    /// Returns nullptr when there is not enough memory.
    virtual void* allocate_bytes(std::size_t bytes) = 0;
    virtual void release_bytes(void* data) noexcept = 0;
    virtual void upload_bytes(const void* host, void* device, std::size_t bytes) = 0;
    virtual void download_bytes(const void* device, void* host, std::size_t bytes) = 0;
    virtual void copy_bytes(const void* from, void* to, std::size_t bytes) = 0;
    virtual void zero_bytes(void* data, std::size_t bytes) = 0;
};

}  // namespace deepfreq
