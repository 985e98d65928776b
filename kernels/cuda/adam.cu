#include "kernels/cuda/adam_kernels.h"

#include "kernels/cuda/network_device.h"
#include "kernels/cuda/stream_device.cuh"

namespace deepfreq::cuda {

template void BackendOn<NetworkDevice>::execute(const Adam&);

}  // namespace deepfreq::cuda
