#pragma once

#include "kernels/cuda/backend_on.h"
#include "kernels/cuda/convolution_task.h"

// No kernel of ours: the device has convolutions.

namespace deepfreq::cuda {

template <class Device>
void BackendOn<Device>::execute(const Conv2dForward& op) {
    device_.convolve(
        convolution_task(ConvolutionKind::Forward, op.x.shape, op.w.shape, op.y.shape, op.params), op.x.data,
        op.w.data, op.y.data);
}

template <class Device>
void BackendOn<Device>::execute(const Conv2dBackward& op) {
    device_.convolve(convolution_task(ConvolutionKind::BackwardFilter, op.x.shape, op.w.shape, op.dy.shape,
                                      op.params, op.mode),
                     op.x.data, op.dw.data, op.dy.data);
    if (!op.dx) return;
    device_.convolve(
        convolution_task(ConvolutionKind::BackwardData, op.x.shape, op.w.shape, op.dy.shape, op.params),
        op.dx.data, op.w.data, op.dy.data);
}

}  // namespace deepfreq::cuda
