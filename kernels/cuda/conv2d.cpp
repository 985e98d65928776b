#include "kernels/cuda/cuda_backend.h"

namespace deepfreq {
namespace {

std::array<std::int64_t, 4> extents(const Shape& shape) {
    return {shape[0], shape[1], shape[2], shape[3]};
}

}  // namespace

using cuda::ConvolutionKind;

void CudaKernels::do_conv2d_forward(ConstTensor x, ConstTensor w, const Conv2dParams& params, Tensor y) {
    convolutions_(stream_,
                  {ConvolutionKind::Forward, extents(x.shape), extents(w.shape), extents(y.shape),
                   params.stride, params.padding},
                  x.data, w.data, y.data);
}

void CudaKernels::do_conv2d_backward(ConstTensor x, ConstTensor w, ConstTensor dy, const Conv2dParams& params,
                                     Tensor dx, Tensor dw, GradMode mode) {
    cuda::ConvolutionTask task{ConvolutionKind::BackwardFilter,
                               extents(x.shape),
                               extents(w.shape),
                               extents(dy.shape),
                               params.stride,
                               params.padding,
                               mode == GradMode::Accumulate};
    convolutions_(stream_, task, x.data, dw.data, dy.data);
    if (!dx) return;
    task.kind = ConvolutionKind::BackwardData;
    task.add = false;
    convolutions_(stream_, task, dx.data, w.data, dy.data);
}

}  // namespace deepfreq
