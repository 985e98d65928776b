#pragma once

#include "kernels/cuda/backend_on.h"
#include "kernels/cuda/network_device.h"
#include "kernels/cuda/spectrum_backend.h"

namespace deepfreq {

/// The CUDA backend: its operations are those of BackendOn and SpectrumBackendOn.
class CudaBackend final : public CudaSpectrumBackend, public cuda::BackendOn<cuda::NetworkDevice> {
  public:
    /// Takes device `index`, which is the current device and usable.
    CudaBackend(int index_of_device, Precision precision);

    std::string description() const override;
    Precision precision() const override { return precision_; }

  private:
    // graph.cpp
    std::unique_ptr<Graph> capture_work(std::function<void()> work) override;

    Precision precision_;
};

}  // namespace deepfreq
