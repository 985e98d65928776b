#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/pool_kernels.h"

namespace deepfreq {

void CudaKernels::do_add(ConstTensor x, Tensor y) {
    cuda::launch_each(stream_, x.elements(), cuda::Add{x.data, y.data});
}

}  // namespace deepfreq
