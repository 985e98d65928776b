#include "kernels/cuda/adam_kernels.h"
#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/launch.cuh"

namespace deepfreq {

void CudaKernels::do_adam(Tensor w, ConstTensor dw, Tensor m, Tensor v, const AdamParams& params,
                          TensorView<const StepState> state) {
    const std::int64_t size = w.elements();
    cuda::launch_blocks(stream_, cuda::adam_blocks(size),
                        cuda::AdamUpdate{w.data, dw.data, m.data, v.data, size, params, state.data});
}

}  // namespace deepfreq
