#include "kernels/cuda/reductions_kernels.h"

#include "kernels/cuda/stream_device.cuh"

namespace deepfreq::cuda {

template void SpectrumBackendOn<StreamDevice>::execute(const CentreColumns&);
template void SpectrumBackendOn<StreamDevice>::execute(const ScaleColumnsByMaxAbs&);
template double SpectrumBackendOn<StreamDevice>::execute(const SumOfSquares&);
template std::optional<std::int64_t> SpectrumBackendOn<StreamDevice>::execute(const FirstNonFinite&);

}  // namespace deepfreq::cuda
