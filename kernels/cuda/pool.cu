#include "kernels/cuda/pool_kernels.h"

#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/launch.cuh"

namespace deepfreq {

using cuda::Windows;

void CudaKernels::do_average_pool_forward(ConstTensor x, const PoolParams& params, Tensor y) {
    cuda::launch_each(stream_, y.elements(), cuda::AverageWindow{Windows(x.shape, params), x.data, y.data});
}

void CudaKernels::do_average_pool_backward(ConstTensor dy, const PoolParams& params, Tensor dx) {
    cuda::launch_each(stream_, dx.elements(),
                      cuda::AverageWindowBackward{Windows(dx.shape, params), dy.data, dx.data});
}

void CudaKernels::do_max_pool_forward(ConstTensor x, const PoolParams& params, Tensor y) {
    cuda::launch_each(stream_, y.elements(), cuda::LargestOfWindow{Windows(x.shape, params), x.data, y.data});
}

void CudaKernels::do_max_pool_backward(ConstTensor x, ConstTensor y, ConstTensor dy, const PoolParams& params,
                                       Tensor dx) {
    cuda::launch_each(
        stream_, y.elements(),
        cuda::LargestOfWindowBackward{Windows(x.shape, params), x.data, y.data, dy.data, dx.data});
}

}  // namespace deepfreq
