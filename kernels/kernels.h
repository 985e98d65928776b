#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "kernels/buffer.h"
#include "kernels/measuring_kernels.h"
#include "kernels/params.h"

namespace deepfreq {

/// A fixed sequence of operations, made by Kernels::record and not to outlive it.
class Recording {
  public:
    Recording() = default;
    Recording(const Recording&) = delete;
    Recording& operator=(const Recording&) = delete;
    virtual ~Recording() = default;

    /// Queues all of them once more, on the memory they were recorded with.
    virtual void replay() = 0;
};

/// What a device can do: memory, what measuring takes, and the mathematics of networks. It knows no layers.
///
/// Every public operation checks its shapes (InputError names both) and calls the private virtual of the same
/// name with `do_` before it, which a backend implements; a backend that lacks one does not compile.
/// Tensors are row-major, the first axis counts samples. Operations are queued in order on the device; only
/// download(), synchronize() and the operations that return a value wait for it.
/// Names: x, y inputs and outputs; dx, dy, dw, db gradients of the loss by them.
class Kernels : public virtual MeasuringKernels {
  public:
    /// Of matrix products and convolutions.
    virtual Precision precision() const { return Precision::Float32; }

    /// @name Fixed sequences of operations
    /// @{

    /// Records the operations that `work` queues, without running them: on a GPU as one graph, which costs
    /// one launch. They must be the same ones on the same memory each time `work` is called, must have run
    /// once before (libraries load code and take memory when first used), and may neither allocate nor wait
    /// for the device.
    std::unique_ptr<Recording> record(std::function<void()> work);
    /// @}

    /// @name Dense layer
    /// @{

    /// y[n,out] = sigma(x[n,in] w[out,in]^T + b[out]) (eq. 8). Overwrites y.
    void dense_forward(ConstTensor x, ConstTensor w, ConstTensor b, Activation sigma, Tensor y);

    /// Gradients of dense_forward, from its x, w, sigma and output y.
    /// dy[n,out] is overwritten by dz = dy * sigma'(z); dx[n,in] (may be absent) is overwritten by dz w;
    /// dw[out,in] = dz^T x and db[out] = column sums of dz (in double) are overwritten or added to, by
    /// `mode`.
    void dense_backward(ConstTensor x, ConstTensor w, ConstTensor y, Activation sigma, Tensor dy, Tensor dx,
                        Tensor dw, Tensor db, GradMode mode);
    /// @}

    /// @name Convolutional networks
    /// Images are [n,h,w,c], the channels of a pixel side by side. Filters are [out,kh,kw,in].
    /// @{

    /// y[n,h',w',out] = x[n,h,w,in] convolved with w[out,kh,kw,in], which is 0 outside the image:
    ///   y[i,r,s,o] = sum_{a,b,c} x[i, r stride + a - padding, s stride + b - padding, c] w[o,a,b,c],
    /// h' = floor((h + 2 padding - kh) / stride) + 1, w' alike. Overwrites y. There is no bias: the batch
    /// normalisation that follows would take it off again. A backend may compute tiles of pixels at once
    /// (Winograd): then NaN reaches the whole tile, but never another image.
    void conv2d_forward(ConstTensor x, ConstTensor w, const Conv2dParams& params, Tensor y);

    /// Gradients of conv2d_forward. dx (may be absent) is overwritten; dw is overwritten or added to.
    void conv2d_backward(ConstTensor x, ConstTensor w, ConstTensor dy, const Conv2dParams& params, Tensor dx,
                         Tensor dw, GradMode mode);

    /// y = sigma((x - mean) inverse_deviation scale + shift [+ residual]) by the mean and variance of each
    /// of the c channels over all n*h*w pixels (in double); inverse_deviation = 1 / sqrt(variance + epsilon).
    /// residual (may be absent) has the shape of x, all others have [c]. Overwrites y and what backward
    /// reads, saved_mean and saved_inverse_deviation; moves running_mean and running_variance by `momentum`
    /// towards mean and n*h*w / (n*h*w - 1) variance (0 for a single pixel).
    void batch_norm_forward_training(ConstTensor x, ConstTensor scale, ConstTensor shift,
                                     const BatchNormParams& params, Tensor running_mean,
                                     Tensor running_variance, Tensor saved_mean,
                                     Tensor saved_inverse_deviation, ConstTensor residual, Activation sigma,
                                     Tensor y);

    /// The same by the running statistics, which stay as they are.
    void batch_norm_forward_inference(ConstTensor x, ConstTensor scale, ConstTensor shift,
                                      const BatchNormParams& params, ConstTensor running_mean,
                                      ConstTensor running_variance, ConstTensor residual, Activation sigma,
                                      Tensor y);

    /// Gradients of batch_norm_forward_training, through the statistics too. dy is overwritten by dy
    /// sigma'(z), which is the residual's gradient; with Identity it stays, and y is not read and may be
    /// absent. dx is overwritten, dscale and dshift (sums in double) are overwritten or added to.
    void batch_norm_backward(ConstTensor x, ConstTensor y, ConstTensor scale, ConstTensor saved_mean,
                             ConstTensor saved_inverse_deviation, Activation sigma, Tensor dy, Tensor dx,
                             Tensor dscale, Tensor dshift, GradMode mode);

    /// y[n,h/height,w/width,c] = the mean of each window of x[n,h,w,c], which the windows must tile.
    /// Overwrites y.
    void average_pool_forward(ConstTensor x, const PoolParams& params, Tensor y);

    /// dx = dy / (height width) all over the window. Overwrites dx.
    void average_pool_backward(ConstTensor dy, const PoolParams& params, Tensor dx);

    /// The largest of each window, and NaN where there is one. Overwrites y.
    void max_pool_forward(ConstTensor x, const PoolParams& params, Tensor y);

    /// From x and y of max_pool_forward: dx = dy where the window's largest (row by row, the first of equals)
    /// is, else 0. Overwrites dx.
    void max_pool_backward(ConstTensor x, ConstTensor y, ConstTensor dy, const PoolParams& params, Tensor dx);

    /// y += x: where the two gradients of a residual block's input meet.
    void add(ConstTensor x, Tensor y);

    /// y = x mask / (1 - rate), where each element of the mask is 0 with probability `rate`, else 1, drawn
    /// from (seed, stream, state->update, element): the same again for the gradients of the same step. An
    /// element of x that is NaN or infinite is so in y, dropped or not. Overwrites y, which may be x.
    void dropout(ConstTensor x, const DropoutParams& params, TensorView<const StepState> state, Tensor y);
    /// @}

    /// @name Losses and accuracy
    /// A loss is a mean over the batch; its gradient is that of the mean. What is added to
    /// `sums[state->step]` is n times the mean, in double, so that an epoch's loss is the sum over n.
    /// @{

    /// Mean over all n*c elements of (p - t)^2; adds n * mean = sum (p - t)^2 / c. dp (may be absent) is
    /// overwritten by 2 (p - t) / (n c).
    void mean_squared_error(ConstTensor p, ConstTensor t, Tensor dp, TensorView<double> sums,
                            TensorView<const StepState> state);

    /// -sum_c t log softmax(z)_c, averaged over the n rows; each row of t sums to 1. dz (may be absent) is
    /// overwritten by (softmax(z) - t) / n.
    void softmax_cross_entropy(ConstTensor z, ConstTensor t, Tensor dz, TensorView<double> sums,
                               TensorView<const StepState> state);

    /// p[n,c] = softmax of each row of z[n,c]: what a network trained by softmax_cross_entropy says.
    /// Overwrites p, which may be z.
    void softmax(ConstTensor z, Tensor p);

    /// Adds to correct[0] the number of rows whose largest element (the first, of equals) is at labels[row].
    void count_correct(ConstTensor p, TensorView<const std::int32_t> labels,
                       TensorView<std::int64_t> correct);
    /// @}

    /// @name Optimiser and batches
    /// @{

    /// One Adam update of all parameters: w, m, v [size] are overwritten. Reads the learning rate and the
    /// number of earlier updates with these moments from state.
    void adam(Tensor w, ConstTensor dw, Tensor m, Tensor v, const AdamParams& params,
              TensorView<const StepState> state);

    /// batch[i] = source[permutation[state->sample + i]], row by row. Overwrites batch.
    void gather_rows(ConstTensor source, TensorView<const std::int32_t> permutation,
                     TensorView<const StepState> state, Tensor batch);

    /// gather_rows of images [N,h,w,c] into batch[n,h,w,c], each changed at random (see AugmentParams; pixels
    /// that come in at the border are 0) by (seed, state->update, row of the batch). Overwrites batch.
    void gather_augmented_images(ConstTensor source, TensorView<const std::int32_t> permutation,
                                 TensorView<const StepState> state, const AugmentParams& params,
                                 Tensor batch);

    /// permutation[n] = 0 … n-1 in the random order of (seed, epoch): sorted by a 64-bit Philox key, so the
    /// same on every backend.
    void random_permutation(TensorView<std::int32_t> permutation, std::uint64_t seed, std::uint32_t epoch);

    /// After a batch of n: state->sample += n, ++step, ++update.
    void advance(TensorView<StepState> state, std::int64_t samples);
    /// @}

    /// @name Gradient norms
    /// @{

    /// sums[k] += sum of x[i]^2 over bounds[k] <= i < bounds[k+1], in double: with the gradients of a network
    /// and where its layers begin, the squared norm of every layer's gradient. bounds[K+1] ascend within 0 …
    /// size.
    void add_squared_norms(ConstTensor x, TensorView<const std::int64_t> bounds, TensorView<double> sums);
    /// @}

  private:
    virtual std::unique_ptr<Recording> do_record(std::function<void()> work) = 0;

    virtual void do_dense_forward(ConstTensor x, ConstTensor w, ConstTensor b, Activation sigma,
                                  Tensor y) = 0;
    virtual void do_dense_backward(ConstTensor x, ConstTensor w, ConstTensor y, Activation sigma, Tensor dy,
                                   Tensor dx, Tensor dw, Tensor db, GradMode mode) = 0;
    virtual void do_mean_squared_error(ConstTensor p, ConstTensor t, Tensor dp, TensorView<double> sums,
                                       TensorView<const StepState> state) = 0;
    virtual void do_softmax_cross_entropy(ConstTensor z, ConstTensor t, Tensor dz, TensorView<double> sums,
                                          TensorView<const StepState> state) = 0;
    virtual void do_softmax(ConstTensor z, Tensor p) = 0;
    virtual void do_count_correct(ConstTensor p, TensorView<const std::int32_t> labels,
                                  TensorView<std::int64_t> correct) = 0;
    virtual void do_adam(Tensor w, ConstTensor dw, Tensor m, Tensor v, const AdamParams& params,
                         TensorView<const StepState> state) = 0;
    virtual void do_gather_rows(ConstTensor source, TensorView<const std::int32_t> permutation,
                                TensorView<const StepState> state, Tensor batch) = 0;
    virtual void do_gather_augmented_images(ConstTensor source, TensorView<const std::int32_t> permutation,
                                            TensorView<const StepState> state, const AugmentParams& params,
                                            Tensor batch) = 0;
    virtual void do_random_permutation(TensorView<std::int32_t> permutation, std::uint64_t seed,
                                       std::uint32_t epoch) = 0;
    virtual void do_advance(TensorView<StepState> state, std::int64_t samples) = 0;
    virtual void do_add_squared_norms(ConstTensor x, TensorView<const std::int64_t> bounds,
                                      TensorView<double> sums) = 0;

    virtual void do_conv2d_forward(ConstTensor x, ConstTensor w, const Conv2dParams& params, Tensor y) = 0;
    virtual void do_conv2d_backward(ConstTensor x, ConstTensor w, ConstTensor dy, const Conv2dParams& params,
                                    Tensor dx, Tensor dw, GradMode mode) = 0;
    virtual void do_batch_norm_forward_training(ConstTensor x, ConstTensor scale, ConstTensor shift,
                                                const BatchNormParams& params, Tensor running_mean,
                                                Tensor running_variance, Tensor saved_mean,
                                                Tensor saved_inverse_deviation, ConstTensor residual,
                                                Activation sigma, Tensor y) = 0;
    virtual void do_batch_norm_forward_inference(ConstTensor x, ConstTensor scale, ConstTensor shift,
                                                 const BatchNormParams& params, ConstTensor running_mean,
                                                 ConstTensor running_variance, ConstTensor residual,
                                                 Activation sigma, Tensor y) = 0;
    virtual void do_batch_norm_backward(ConstTensor x, ConstTensor y, ConstTensor scale,
                                        ConstTensor saved_mean, ConstTensor saved_inverse_deviation,
                                        Activation sigma, Tensor dy, Tensor dx, Tensor dscale, Tensor dshift,
                                        GradMode mode) = 0;
    virtual void do_average_pool_forward(ConstTensor x, const PoolParams& params, Tensor y) = 0;
    virtual void do_average_pool_backward(ConstTensor dy, const PoolParams& params, Tensor dx) = 0;
    virtual void do_max_pool_forward(ConstTensor x, const PoolParams& params, Tensor y) = 0;
    virtual void do_max_pool_backward(ConstTensor x, ConstTensor y, ConstTensor dy, const PoolParams& params,
                                      Tensor dx) = 0;
    virtual void do_add(ConstTensor x, Tensor y) = 0;
    virtual void do_dropout(ConstTensor x, const DropoutParams& params, TensorView<const StepState> state,
                            Tensor y) = 0;
};

/// A device by name: "cpu", "cuda", "cuda:N", or "auto" (the GPU if there is one, else the CPU).
struct OpenedKernels {
    std::unique_ptr<Kernels> kernels;
    std::string reason;  ///< one line: what was chosen and why
};

/// Throws InputError when the name is none of these, or when the device cannot be had or does not compute in
/// that precision, with the cure.
OpenedKernels open_kernels(std::string_view device, Precision precision = Precision::Float32);

/// "fp32", "tf32", "bf16" or "auto", and back. Throws InputError for anything else.
Precision parse_precision(std::string_view name);
std::string_view precision_name(Precision precision);

}  // namespace deepfreq
