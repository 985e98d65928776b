#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/measuring_kernels.h"
#include "kernels/cuda/stream_device.cuh"

namespace deepfreq {

void CudaKernels::do_add_squared_norms(ConstTensor x, TensorView<const std::int64_t> bounds,
                                       TensorView<double> sums) {
    cuda::StreamDevice device(stream_);
    cuda::add_squared_norms(device, x.data, bounds, sums, static_cast<double*>(partial_sums_.data()),
                            partial_sums);
}

}  // namespace deepfreq
