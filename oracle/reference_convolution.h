#pragma once

#include "kernels/buffer.h"
#include "kernels/ops/batchnorm.h"
#include "kernels/ops/conv2d.h"
#include "kernels/ops/pool.h"
#include "oracle/reference.h"

// The oracle for the operations on images, following oracle/reference.h. Images are [n,h,w,c], filters
// [out,kh,kw,in].

namespace deepfreq::reference {

/// Shapes of y = conv2d(x, w).
struct ConvolutionShape {
    Shape x, w, y;
    Conv2dParams params;

    ConvolutionShape(Shape x_shape, Shape w_shape, Conv2dParams parameters);
};

/// Element `index` of the results of conv2d_forward and conv2d_backward: a sum of products.
struct ConvolutionSum {
    double value, error;
};
ConvolutionSum conv2d_y(const Values& x, const Values& w, const ConvolutionShape& shape, std::int64_t index,
                        Precision precision = Precision::Float32);
ConvolutionSum conv2d_dx(const Values& w, const Values& dy, const ConvolutionShape& shape, std::int64_t index,
                         Precision precision = Precision::Float32);
ConvolutionSum conv2d_dw(const Values& x, const Values& dy, const ConvolutionShape& shape, std::int64_t index,
                         Precision precision = Precision::Float32);

Estimate conv2d_forward(const Values& x, const Values& w, const ConvolutionShape& shape,
                        Precision precision = Precision::Float32);

struct ConvolutionGradients {
    Estimate dx, dw;
};
ConvolutionGradients conv2d_backward(const Values& x, const Values& w, const Values& dy,
                                     const ConvolutionShape& shape, Precision precision = Precision::Float32);

/// Inputs and outputs of batch normalisation of x[pixels, c].
struct BatchNormStatistics {
    Estimate mean, inv_std;      ///< of the batch, or of running statistics
    Estimate unbiased_variance;  ///< of the batch; 0 for a single pixel
};
BatchNormStatistics batch_statistics(const Values& x, std::int64_t channels, const BatchNormParams& params);
BatchNormStatistics running_statistics(const Values& mean, const Values& variance,
                                       const BatchNormParams& params);

/// (1 - momentum) running + momentum batch.
Estimate moved(const Values& running, const Estimate& batch, const BatchNormParams& params);

/// activation((x - mean) inv_std scale + shift [+ residual]); an empty residual means none.
Estimate normalized(const Values& x, const BatchNormStatistics& statistics, const Values& scale,
                    const Values& shift, const Values& residual, Activation activation);

struct BatchNormGradients {
    Estimate dz;  ///< dy activation'(z)
    Estimate dx, dscale, dshift;
};
/// From the statistics as they were saved; y as far as it is known.
BatchNormGradients batch_norm_backward(const Values& x, const Estimate& y, const Values& scale,
                                       const Values& mean, const Values& inv_std, Activation activation,
                                       const Values& dy);

/// Windows of height × width that tile x.
Estimate average_pool_forward(const Values& x, const Shape& shape, const PoolParams& params);
Estimate average_pool_backward(const Values& dy, const Shape& shape, const PoolParams& params);
Values max_pool_forward(const Values& x, const Shape& shape, const PoolParams& params);
Values max_pool_backward(const Values& x, const Values& dy, const Shape& shape, const PoolParams& params);

/// x + y.
Estimate sum(const Values& x, const Values& y);

}  // namespace deepfreq::reference
