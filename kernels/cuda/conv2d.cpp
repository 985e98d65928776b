#include "kernels/cuda/cuda_backend.h"

namespace deepfreq {

using cuda::convolution_task;
using cuda::ConvolutionKind;

void CudaKernels::do_conv2d_forward(ConstTensor x, ConstTensor w, const Conv2dParams& params, Tensor y) {
    convolutions_(convolution_task(ConvolutionKind::Forward, x.shape, w.shape, y.shape, params), x.data,
                  w.data, y.data);
}

void CudaKernels::do_conv2d_backward(ConstTensor x, ConstTensor w, ConstTensor dy, const Conv2dParams& params,
                                     Tensor dx, Tensor dw, GradMode mode) {
    convolutions_(convolution_task(ConvolutionKind::BackwardFilter, x.shape, w.shape, dy.shape, params, mode),
                  x.data, dw.data, dy.data);
    if (!dx) return;
    convolutions_(convolution_task(ConvolutionKind::BackwardData, x.shape, w.shape, dy.shape, params),
                  dx.data, w.data, dy.data);
}

}  // namespace deepfreq
