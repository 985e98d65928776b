#pragma once

#include "kernels/expect.h"
#include "kernels/types.h"

// Images are [n,h,w,c]; all other tensors have one element per channel, [c].

namespace deepfreq {

/// Batch normalisation (Ioffe & Szegedy 2015).
struct BatchNormParams {
    double epsilon = 1e-5;  ///< added to the variance
    double momentum = 0.1;  ///< weight of the batch in the running statistics

    void validate(const Expect& expect) const {
        if (!(epsilon > 0.0) || !(momentum >= 0.0 && momentum <= 1.0))
            throw InputError("{}: epsilon {} and momentum {} given, expected more than 0 and 0 to 1",
                             expect.operation(), epsilon, momentum);
    }
};

/// Checks the fields that both forward passes have.
template <class Forward>
void expect_batch_norm_forward(const Expect& expect, const Forward& forward) {
    expect.rank("x", forward.x, 4);
    const Shape channels{forward.x.shape[3]};
    expect.shape("scale", forward.scale, channels);
    expect.shape("shift", forward.shift, channels);
    expect.shape("running_mean", forward.running_mean, channels);
    expect.shape("running_variance", forward.running_variance, channels);
    if (forward.residual) expect.shape("residual", forward.residual, forward.x.shape);
    expect.shape("y", forward.y, forward.x.shape);
    forward.params.validate(expect);
}

/// y = activation((x - mean) inv_std scale + shift [+ residual]), with each channel's mean and variance taken
/// over all n h w pixels (in double); inv_std = 1 / sqrt(variance + epsilon).
struct BatchNormForwardTraining {
    ConstTensor x;      ///< [n,h,w,c]
    ConstTensor scale;  ///< [c]
    ConstTensor shift;  ///< [c]
    BatchNormParams params = {};
    Tensor running_mean;        ///< [c], moved by `momentum` towards the mean
    Tensor running_variance;    ///< [c], towards m / (m - 1) variance with m = n h w; towards 0 if m = 1
    Tensor saved_mean;          ///< [c], overwritten: for the backward pass
    Tensor saved_inv_std;       ///< [c], overwritten: for the backward pass
    ConstTensor residual = {};  ///< as x; may be absent
    Activation activation = Activation::Identity;
    Tensor y;  ///< as x, overwritten

    void validate() const {
        const Expect expect("batch_norm_forward_training");
        expect_batch_norm_forward(expect, *this);
        expect.shape("saved_mean", saved_mean, scale.shape);
        expect.shape("saved_inv_std", saved_inv_std, scale.shape);
    }
};

/// The same with the running statistics, which are not changed.
struct BatchNormForwardInference {
    ConstTensor x;      ///< [n,h,w,c]
    ConstTensor scale;  ///< [c]
    ConstTensor shift;  ///< [c]
    BatchNormParams params = {};
    ConstTensor running_mean;      ///< [c]
    ConstTensor running_variance;  ///< [c]
    ConstTensor residual = {};     ///< as x; may be absent
    Activation activation = Activation::Identity;
    Tensor y;  ///< as x, overwritten

    void validate() const { expect_batch_norm_forward(Expect("batch_norm_forward_inference"), *this); }
};

/// Gradients of BatchNormForwardTraining, including those through the batch statistics.
struct BatchNormBackward {
    ConstTensor x;              ///< [n,h,w,c]
    ConstTensor y = {};         ///< as x; with Identity it is not read and may be absent
    ConstTensor scale;          ///< [c]
    ConstTensor saved_mean;     ///< [c]
    ConstTensor saved_inv_std;  ///< [c]
    Activation activation = Activation::Identity;
    Tensor dy;      ///< as x, overwritten by dy activation'(z), which is the gradient of the residual
    Tensor dx;      ///< as x, overwritten
    Tensor dscale;  ///< [c], overwritten or added to (sums in double)
    Tensor dshift;  ///< [c], overwritten or added to (sums in double)
    GradMode mode = GradMode::Overwrite;

    void validate() const {
        const Expect expect("batch_norm_backward");
        expect.rank("x", x, 4);
        const Shape channels{x.shape[3]};
        if (activation != Activation::Identity || y) expect.shape("y", y, x.shape);
        expect.shape("scale", scale, channels);
        expect.shape("saved_mean", saved_mean, channels);
        expect.shape("saved_inv_std", saved_inv_std, channels);
        expect.shape("dy", dy, x.shape);
        expect.shape("dx", dx, x.shape);
        expect.shape("dscale", dscale, channels);
        expect.shape("dshift", dshift, channels);
    }
};

}  // namespace deepfreq
