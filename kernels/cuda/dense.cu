#include "kernels/cuda/dense_kernels.h"

#include "kernels/cuda/network_device.h"
#include "kernels/cuda/stream_device.cuh"

namespace deepfreq::cuda {

template void BackendOn<NetworkDevice>::execute(const DenseForward&);
template void BackendOn<NetworkDevice>::execute(const DenseBackward&);

}  // namespace deepfreq::cuda
