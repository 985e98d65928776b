#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/dropout_kernels.h"
#include "kernels/cuda/pool_kernels.h"
#include "kernels/cuda/stream_device.cuh"

namespace deepfreq {

void CudaKernels::do_add(ConstTensor x, Tensor y) {
    cuda::launch_each(stream_, x.elements(), cuda::Add{x.data, y.data});
}

void CudaKernels::do_dropout(ConstTensor x, const DropoutParams& params, TensorView<const StepState> state,
                             Tensor y) {
    cuda::StreamDevice device(stream_);
    cuda::dropout(device, x.data, x.elements(), params, state.data, y.data);
}

}  // namespace deepfreq
