#pragma once

#include "kernels/device_memory.h"
#include "kernels/executes.h"
#include "kernels/ops/reductions.h"
#include "kernels/ops/spectrum.h"

namespace deepfreq {

/// All operations needed to measure a spectrum.
using SpectrumOperations = ExecutesAll<CentreColumns, ScaleColumnsByMaxAbs, SumOfSquares, FirstNonFinite,
                                       GaussianLowFrequencyEnergy, GaussianLowFrequencyRowEnergies>;

/// A device that measures spectra. Without the network operations it needs none of the libraries behind them
/// (oneDNN, cuBLAS, cuDNN), so it can be part of a program that has networks of its own.
///
/// Tensors are row-major; the first axis counts samples. Operations are queued in order on the device; those
/// that return a value wait for it.
class SpectrumBackend : public DeviceMemory, public SpectrumOperations {
  private:
    using SpectrumOperations::run;
    /// Also checks that the samples are finite, and reports progress 1 at the end. An empty grid is no work.
    std::vector<double> run(const GaussianLowFrequencyEnergy& operation) final;
    std::vector<double> run(const GaussianLowFrequencyRowEnergies& operation) final;

    template <class Operation>
    std::vector<double> measure(const Operation& operation, std::size_t values);
};

}  // namespace deepfreq
