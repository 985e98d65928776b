#include "kernels/cuda/pool_kernels.h"

#include "kernels/cuda/network_device.h"
#include "kernels/cuda/stream_device.cuh"

namespace deepfreq::cuda {

template void BackendOn<NetworkDevice>::execute(const AveragePoolForward&);
template void BackendOn<NetworkDevice>::execute(const AveragePoolBackward&);
template void BackendOn<NetworkDevice>::execute(const MaxPoolForward&);
template void BackendOn<NetworkDevice>::execute(const MaxPoolBackward&);

}  // namespace deepfreq::cuda
