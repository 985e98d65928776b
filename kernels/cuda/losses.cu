#include "kernels/cuda/losses_kernels.h"

#include "kernels/cuda/network_device.h"
#include "kernels/cuda/stream_device.cuh"

namespace deepfreq::cuda {

template void BackendOn<NetworkDevice>::execute(const MeanSquaredError&);
template void BackendOn<NetworkDevice>::execute(const SoftmaxCrossEntropy&);
template void BackendOn<NetworkDevice>::execute(const Softmax&);
template void BackendOn<NetworkDevice>::execute(const CountCorrect&);

}  // namespace deepfreq::cuda
