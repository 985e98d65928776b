#include "kernels/cuda/conv2d_kernels.h"

#include "kernels/cuda/network_device.h"

namespace deepfreq::cuda {

template void BackendOn<NetworkDevice>::execute(const Conv2dForward&);
template void BackendOn<NetworkDevice>::execute(const Conv2dBackward&);

}  // namespace deepfreq::cuda
