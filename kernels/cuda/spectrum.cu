#include "kernels/cuda/spectrum_driver.h"

#include "kernels/cuda/spectrum_matrix_unit.cuh"
#include "kernels/cuda/stream_device.cuh"

namespace deepfreq::cuda {

template std::vector<double> SpectrumBackendOn<StreamDevice>::execute(const GaussianLowFrequencyEnergy&);
template std::vector<double> SpectrumBackendOn<StreamDevice>::execute(const GaussianLowFrequencyRowEnergies&);

}  // namespace deepfreq::cuda
