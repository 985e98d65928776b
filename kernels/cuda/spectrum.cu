#include "kernels/cuda/measuring_backend.h"
#include "kernels/cuda/spectrum_driver.h"
#include "kernels/cuda/spectrum_matrix_unit.cuh"
#include "kernels/cuda/stream_device.cuh"

// Energy of the low-frequency part on the GPU; how it is computed is in spectrum_driver.h and what that
// includes.

namespace deepfreq {
namespace {

using namespace cuda;

/// A stream, with what the driver asks of a device besides.
class SpectrumDevice : public StreamDevice {
  public:
    using Products = spectrum::MatrixUnit;

    SpectrumDevice(cudaStream_t stream, const cudaDeviceProp& properties) : StreamDevice(stream) {
        // Registers leave room for two blocks a multiprocessor.
        limits_.resident_blocks = std::int64_t{2} * properties.multiProcessorCount;
        limits_.tiles_at_once = spectrum::tiles_that_fit(properties.sharedMemPerBlockOptin,
                                                         properties.sharedMemPerMultiprocessor);
    }

    spectrum::Limits limits() const { return limits_; }

  private:
    spectrum::Limits limits_;
};

}  // namespace

std::vector<double> CudaMeasuringKernels::do_gaussian_low_frequency_energy(ConstTensor x, ConstTensor y,
                                                                           std::span<const double> inv_delta,
                                                                           const LowFrequencyParams& params) {
    if (inv_delta.empty()) return {};
    const CurrentDevice current(index_);
    SpectrumDevice device(stream_, properties_);
    return spectrum::LowFrequencyEnergy<SpectrumDevice>(device, x, y, inv_delta, params).compute();
}

std::vector<double> CudaMeasuringKernels::do_gaussian_low_frequency_row_energies(
    ConstTensor x, ConstTensor y, std::span<const double> inv_delta, std::span<const std::int64_t> rows,
    const LowFrequencyParams& params) {
    const CurrentDevice current(index_);
    SpectrumDevice device(stream_, properties_);
    return spectrum::LowFrequencyEnergy<SpectrumDevice>(device, x, y, inv_delta, params, rows).compute_rows();
}

}  // namespace deepfreq
