#include "kernels/cuda/batchnorm_kernels.h"

#include "kernels/cuda/network_device.h"
#include "kernels/cuda/stream_device.cuh"

namespace deepfreq::cuda {

template void BackendOn<NetworkDevice>::execute(const BatchNormForwardTraining&);
template void BackendOn<NetworkDevice>::execute(const BatchNormForwardInference&);
template void BackendOn<NetworkDevice>::execute(const BatchNormBackward&);

}  // namespace deepfreq::cuda
