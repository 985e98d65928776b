#pragma once

#include "kernels/cuda/spectrum_backend_on.h"
#include "kernels/cuda/stream_device.h"

namespace deepfreq {

/// A CUDA device's share of measuring: memory.cpp, reductions.cu, spectrum.cu and what they include. It needs
/// CUDA's runtime and none of its libraries. All work goes to one stream, in order. The calling thread's
/// current device is left unchanged: it may be another library's.
class CudaSpectrumBackend : protected cuda::TakenDevice, public cuda::SpectrumBackendOn<cuda::StreamDevice> {
  public:
    /// Takes device `index`, which is the current device and usable.
    explicit CudaSpectrumBackend(int index_of_device)
        : TakenDevice(index_of_device), SpectrumBackendOn(taken_device()) {}

    std::string description() const override;
    void synchronize() override;
    std::size_t free_bytes() const override;
    cudaStream_t cuda_stream() const { return stream; }

  protected:
    const cuda::TakenDevice& taken_device() const { return *this; }

  private:
    void* allocate_bytes(std::size_t bytes) override;
    void release_bytes(void* data) noexcept override;
    void upload_bytes(const void* host, void* device, std::size_t bytes) override;
    void download_bytes(const void* device, void* host, std::size_t bytes) override;
    void copy_bytes(const void* from, void* to, std::size_t bytes) override;
    void zero_bytes(void* data, std::size_t bytes) override;
};

}  // namespace deepfreq
