#pragma once

#include "kernels/spectrum_backend.h"

namespace deepfreq::cuda {

/// The spectrum operations on `Device`, which launches kernels: StreamDevice on a GPU and, in the tests,
/// HostDevice, which runs the very same code on host threads. They are defined beside their kernels
/// (reductions_kernels.h, spectrum_driver.h) and compiled for a GPU in the .cu file of their family.
template <class Device>
class SpectrumBackendOn : public virtual SpectrumBackend {
  protected:
    template <class... Arguments>
    explicit SpectrumBackendOn(const Arguments&... arguments) : device_(arguments...) {}

  private:
    void execute(const CentreColumns& operation) override;
    void execute(const ScaleColumnsByMaxAbs& operation) override;
    double execute(const SumOfSquares& operation) override;
    std::optional<std::int64_t> execute(const FirstNonFinite& operation) override;
    std::vector<double> execute(const GaussianLowFrequencyEnergy& operation) override;
    std::vector<double> execute(const GaussianLowFrequencyRowEnergies& operation) override;

    Device device_;
};

}  // namespace deepfreq::cuda
