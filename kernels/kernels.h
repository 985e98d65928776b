#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "kernels/buffer.h"
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

/// What a device can do: memory and mathematics. It knows no layers.
///
/// Every public operation checks its shapes (InputError names both) and calls the private virtual of the same
/// name with `do_` before it, which a backend implements; a backend that lacks one does not compile.
/// Tensors are row-major, the first axis counts samples. Operations are queued in order on the device; only
/// download(), synchronize() and the operations that return a value wait for it.
/// Names: x, y inputs and outputs; dx, dy, dw, db gradients of the loss by them.
class Kernels {
  public:
    Kernels() = default;
    Kernels(const Kernels&) = delete;
    Kernels& operator=(const Kernels&) = delete;
    virtual ~Kernels() = default;

    /// Device and libraries in one line, for the log and the manifest.
    virtual std::string description() const = 0;

    /// Of matrix products and convolutions.
    virtual Precision precision() const { return Precision::Float32; }

    /// @name Memory
    /// @{

    /// Uninitialised device memory. Throws InputError naming the bytes asked for and those free if there is
    /// none.
    Buffer allocate(std::size_t bytes);

    /// Bytes that could still be allocated.
    std::size_t free_bytes() const { return do_free_bytes(); }

    /// Memory for a tensor of float, all zero.
    Buffer allocate_zeros(Shape shape);

    /// Copies host memory to the device; sizes must agree.
    template <class T>
    void upload(std::span<const T> host, TensorView<std::type_identity_t<T>> device) {
        check_sizes("upload", host.size_bytes(), bytes_of(device));
        do_upload(host.data(), device.data, host.size_bytes());
    }

    /// Waits for the device and copies its memory to the host; sizes must agree.
    template <class T>
    void download(TensorView<const std::type_identity_t<T>> device, std::span<T> host) {
        check_sizes("download", bytes_of(device), host.size_bytes());
        do_download(device.data, host.data(), host.size_bytes());
    }

    /// `to` becomes a copy of `from`; as many elements each.
    void copy(ConstTensor from, Tensor to);

    /// Sets every byte to 0.
    template <class T>
    void zero(TensorView<T> x) {
        do_zero(x.data, bytes_of(x));
    }

    /// Returns when everything queued so far is done.
    virtual void synchronize() = 0;

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

    /// @name Measuring
    /// @{

    /// Subtracts from every column its mean (in double, rounded to float32): a constant column becomes 0.
    void centre_columns(Tensor x);

    /// Divides every column by its largest magnitude, so that it lies in [-1, 1]; a column of zeros stays.
    void scale_columns_by_max_abs(Tensor x);

    /// Sum of x^2 over all elements, in double.
    double sum_of_squares(ConstTensor x);

    /// sums[k] += sum of x[i]^2 over bounds[k] <= i < bounds[k+1], in double: with the gradients of a network
    /// and where its layers begin, the squared norm of every layer's gradient. bounds[K+1] ascend within 0 …
    /// size.
    void add_squared_norms(ConstTensor x, TensorView<const std::int64_t> bounds, TensorView<double> sums);

    /// Index of the first element that is NaN or infinite, if any.
    std::optional<std::int64_t> first_non_finite(ConstTensor x);

    /// Energy of the low-frequency part for a whole grid of filter widths: for every k,
    ///   energy[k] = sum_i |y_low_i|^2,  y_low_i = sum_j y_j G_ij / sum_j G_ij,
    ///   G_ij = exp(-|x_i - x_j|^2 inv_delta[k] / 2)                                        (eqs. 3 to 5).
    /// x[n,d] features, y[n,c] targets, both finite; inv_delta[K] >= 0 and finite, ascending. All widths
    /// share one pass over the pairs, whose sums are made at a few dozen nodes where there are many
    /// (kernels/filter_nodes.h); no n x n matrix is stored. |energy / sum_i |y_i|^2 - exact| <= 1e-5, for up
    /// to 10^5 columns. With params.rows, i runs over a sample of the rows only.
    /// Columns of x are centred in a copy first. With exclude_self, weights are taken over the largest of
    /// their row, which leaves the ratio as it is, so that none that counts underflows at any width; a row
    /// without another adds nothing.
    std::vector<double> gaussian_low_frequency_energy(ConstTensor x, ConstTensor y,
                                                      std::span<const double> inv_delta,
                                                      const LowFrequencyParams& params = {});
    /// @}

  private:
    friend class Buffer;

    template <class T>
    static std::size_t bytes_of(const TensorView<T>& x) {
        return static_cast<std::size_t>(x.elements()) * sizeof(T);
    }
    static void check_sizes(const char* operation, std::size_t from, std::size_t to);

    /// Returns nullptr when there is not enough memory.
    virtual void* do_allocate(std::size_t bytes) = 0;
    virtual void do_release(void* data) noexcept = 0;
    /// Bytes that could still be allocated, for the message when there are too few.
    virtual std::size_t do_free_bytes() const = 0;
    virtual void do_upload(const void* host, void* device, std::size_t bytes) = 0;
    virtual void do_download(const void* device, void* host, std::size_t bytes) = 0;
    virtual void do_copy(const void* from, void* to, std::size_t bytes) = 0;
    virtual void do_zero(void* data, std::size_t bytes) = 0;
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
    virtual void do_centre_columns(Tensor x) = 0;
    virtual void do_scale_columns_by_max_abs(Tensor x) = 0;
    virtual double do_sum_of_squares(ConstTensor x) = 0;
    virtual void do_add_squared_norms(ConstTensor x, TensorView<const std::int64_t> bounds,
                                      TensorView<double> sums) = 0;
    virtual std::optional<std::int64_t> do_first_non_finite(ConstTensor x) = 0;
    virtual std::vector<double> do_gaussian_low_frequency_energy(ConstTensor x, ConstTensor y,
                                                                 std::span<const double> inv_delta,
                                                                 const LowFrequencyParams& params) = 0;

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
