#pragma once

#include <cstring>
#include <memory>
#include <new>
#include <utility>

#include "kernels/cuda/network_kernels.h"
#include "kernels/cuda/reductions_kernels.h"
#include "kernels/cuda/spectrum_driver.h"
#include "tests/host_device.h"

namespace deepfreq::tests {

/// The CUDA backend with the host in place of the GPU: its operations are the backend's own, on HostDevice.
class CudaOnHost final : public cuda::BackendOn<HostDevice>, public cuda::SpectrumBackendOn<HostDevice> {
  public:
    std::string description() const override { return "the CUDA backend's kernels on the host"; }
    void synchronize() override {}
    std::size_t free_bytes() const override { return 0; }

  private:
    void* allocate_bytes(std::size_t bytes) override { return ::operator new (bytes, std::align_val_t{256}); }
    void release_bytes(void* data) noexcept override { ::operator delete (data, std::align_val_t{256}); }
    void upload_bytes(const void* host, void* device, std::size_t bytes) override {
        copy_bytes(host, device, bytes);
    }
    void download_bytes(const void* device, void* host, std::size_t bytes) override {
        copy_bytes(device, host, bytes);
    }
    void copy_bytes(const void* from, void* to, std::size_t bytes) override {
        if (bytes > 0) std::memcpy(to, from, bytes);
    }
    void zero_bytes(void* data, std::size_t bytes) override {
        if (bytes > 0) std::memset(data, 0, bytes);
    }
    std::unique_ptr<Graph> capture_work(std::function<void()> work) override {
        struct Again final : Graph {
            explicit Again(std::function<void()> w) : work(std::move(w)) {}
            void replay() override { work(); }
            std::function<void()> work;
        };
        return std::make_unique<Again>(std::move(work));
    }
};

}  // namespace deepfreq::tests
