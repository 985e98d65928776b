#include "kernels/cuda/batchnorm_kernels.h"
#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/stream_device.cuh"

namespace deepfreq {

void CudaKernels::do_batch_norm_forward_training(ConstTensor x, ConstTensor scale, ConstTensor shift,
                                                 const BatchNormParams& params, Tensor running_mean,
                                                 Tensor running_variance, Tensor saved_mean,
                                                 Tensor saved_inverse_deviation, ConstTensor residual,
                                                 Activation sigma, Tensor y) {
    cuda::StreamDevice device(stream_);
    cuda::batch_norm_training(device, static_cast<double*>(partial_sums_.data()), x, scale, shift, params,
                              running_mean, running_variance, saved_mean, saved_inverse_deviation, residual,
                              sigma, y);
}

void CudaKernels::do_batch_norm_forward_inference(ConstTensor x, ConstTensor scale, ConstTensor shift,
                                                  const BatchNormParams& params, ConstTensor running_mean,
                                                  ConstTensor running_variance, ConstTensor residual,
                                                  Activation sigma, Tensor y) {
    cuda::StreamDevice device(stream_);
    cuda::batch_norm_inference(device, x, scale, shift, params, running_mean, running_variance, residual,
                               sigma, y);
}

void CudaKernels::do_batch_norm_backward(ConstTensor x, ConstTensor y, ConstTensor scale,
                                         ConstTensor saved_mean, ConstTensor saved_inverse_deviation,
                                         Activation sigma, Tensor dy, Tensor dx, Tensor dscale, Tensor dshift,
                                         GradMode mode) {
    cuda::StreamDevice device(stream_);
    cuda::batch_norm_backward(device, static_cast<double*>(partial_sums_.data()), x, y, scale, saved_mean,
                              saved_inverse_deviation, sigma, dy, dx, dscale, dshift, mode);
}

}  // namespace deepfreq
