#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <utility>

#include "kernels/cuda/check.h"

// RAII owners of CUDA objects. None can be copied, and only Temporary can be moved. All belong to the current
// device.

namespace deepfreq::cuda {

/// Makes a device the current one during its lifetime, then restores the previous one, with or without an
/// error.
class CurrentDevice {
  public:
    explicit CurrentDevice(int index) : index_(index) {
        DEEPFREQ_CUDA(cudaGetDevice(&before_));
        if (index_ != before_) DEEPFREQ_CUDA(cudaSetDevice(index_));
    }
    ~CurrentDevice() {
        if (index_ != before_) cudaSetDevice(before_);
    }
    CurrentDevice(const CurrentDevice&) = delete;
    CurrentDevice& operator=(const CurrentDevice&) = delete;

  private:
    int index_, before_ = 0;
};

/// A stream that does not wait for the default one.
class Stream {
  public:
    Stream() { DEEPFREQ_CUDA(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking)); }
    ~Stream() { cudaStreamDestroy(stream_); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;
    operator cudaStream_t() const { return stream_; }

  private:
    cudaStream_t stream_ = nullptr;
};

/// A point in a stream that another stream can wait for.
class Event {
  public:
    Event() { DEEPFREQ_CUDA(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming)); }
    ~Event() { cudaEventDestroy(event_); }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    operator cudaEvent_t() const { return event_; }

  private:
    cudaEvent_t event_ = nullptr;
};

/// Memory for one operation, allocated and freed in stream order: nothing waits. Not for captured operations,
/// whose memory must outlive them.
template <class T>
class Temporary {
  public:
    Temporary(cudaStream_t stream, std::size_t count) : stream_(stream) {
        if (count == 0) return;
        const cudaError_t status = cudaMallocAsync(&data_, count * sizeof(T), stream);
        if (status == cudaErrorMemoryAllocation) out_of_memory(count * sizeof(T));
        DEEPFREQ_CUDA(status);
    }
    ~Temporary() {
        if (data_ != nullptr) cudaFreeAsync(data_, stream_);
    }
    Temporary(Temporary&& other) noexcept
        : stream_(other.stream_), data_(std::exchange(other.data_, nullptr)) {}
    Temporary& operator=(Temporary&& other) noexcept {
        std::swap(stream_, other.stream_);
        std::swap(data_, other.data_);
        return *this;
    }
    T* data() const { return static_cast<T*>(data_); }

  private:
    cudaStream_t stream_;
    void* data_ = nullptr;
};

}  // namespace deepfreq::cuda
