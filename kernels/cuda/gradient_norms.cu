#include "kernels/cuda/gradient_norms_kernels.h"

#include "kernels/cuda/network_device.h"
#include "kernels/cuda/stream_device.cuh"

namespace deepfreq::cuda {

template void BackendOn<NetworkDevice>::execute(const AddSquaredNorms&);

}  // namespace deepfreq::cuda
