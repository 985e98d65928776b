#pragma once

#include <cudnn.h>

#include <optional>
#include <string>
#include <string_view>

#include "kernels/cuda/cudnn_descriptor.h"

namespace deepfreq::cuda {

/// Empty if plans can be made for a device that is not in this machine; otherwise why not.
std::string no_described_devices();

/// The device that plans are made for: a real one, or one that is only described.
class PlanDevice {
  public:
    explicit PlanDevice(cudnnHandle_t handle) : handle_(handle) {}
    /// A device given by its properties, in the JSON that cuDNN itself writes; needs neither GPU nor driver.
    /// Throws InputError with cuDNN's reason if it refuses them, and also if it is older than 9.8.
    explicit PlanDevice(std::string_view properties);

    /// @name Give a descriptor, before it is finished, the device it is for
    /// @{
    void tell_graph(Descriptor& graph) const;
    void tell_heuristic(Descriptor& heuristic) const;
    void tell_engine(Descriptor& engine) const;
    void tell_plan(Descriptor& plan) const;
    /// @}

  private:
    cudnnHandle_t handle_ = nullptr;
    std::optional<Descriptor> properties_;
};

}  // namespace deepfreq::cuda
