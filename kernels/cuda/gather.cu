#include "kernels/cuda/gather_kernels.h"

#include "kernels/cuda/network_device.h"
#include "kernels/cuda/stream_device.cuh"

namespace deepfreq::cuda {

template void BackendOn<NetworkDevice>::execute(const GatherRows&);
template void BackendOn<NetworkDevice>::execute(const GatherAugmentedImages&);
template void BackendOn<NetworkDevice>::execute(const RandomPermutation&);
template void BackendOn<NetworkDevice>::execute(const Advance&);

}  // namespace deepfreq::cuda
