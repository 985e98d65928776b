#include "kernels/kernels.h"

#include <algorithm>

#include "common/error.h"
#include "kernels/expect.h"

namespace deepfreq {
namespace {

/// The shape of y = conv2d(x, w).
Shape convolved(const char* operation, ConstTensor x, ConstTensor w, const Conv2dParams& params) {
    expect_rank(operation, "x", x.shape, 4);
    expect_rank(operation, "w", w.shape, 4);
    expect(operation, "w", w.shape, {w.shape[0], w.shape[1], w.shape[2], x.shape[3]});
    if (params.stride < 1 || params.padding < 0)
        throw InputError("{}: stride {} and padding {} given, expected at least 1 and 0", operation,
                         params.stride, params.padding);
    const std::int64_t height = x.shape[1] + 2 * params.padding;
    const std::int64_t width = x.shape[2] + 2 * params.padding;
    if (w.shape[1] > height || w.shape[2] > width)
        throw InputError("{}: w has shape {}, expected filters no larger than the padded image, {} x {}",
                         operation, w.shape.text(), height, width);
    if (params.padding >= w.shape[1] || params.padding >= w.shape[2])
        throw InputError("{}: padding {} given, expected less than the filters' {} x {}", operation,
                         params.padding, w.shape[1], w.shape[2]);
    return {x.shape[0], (height - w.shape[1]) / params.stride + 1, (width - w.shape[2]) / params.stride + 1,
            w.shape[0]};
}

/// The shape of y, pooled from x.
Shape pooled(const char* operation, const char* name, const Shape& x, const PoolParams& params) {
    expect_rank(operation, name, x, 4);
    if (params.height < 1 || params.width < 1 || x[1] % params.height != 0 || x[2] % params.width != 0)
        throw InputError("{}: {} has shape {}, expected an image that windows of {} x {} tile", operation,
                         name, x.text(), params.height, params.width);
    return {x[0], x[1] / params.height, x[2] / params.width, x[3]};
}

void check_batch_norm(const char* operation, const BatchNormParams& params) {
    if (!(params.epsilon > 0.0) || !(params.momentum >= 0.0 && params.momentum <= 1.0))
        throw InputError("{}: epsilon {} and momentum {} given, expected more than 0 and 0 to 1", operation,
                         params.epsilon, params.momentum);
}

}  // namespace

std::unique_ptr<Recording> Kernels::record(std::function<void()> work) {
    if (!work) throw InputError("record: no work given, a function expected");
    return do_record(std::move(work));
}

void Kernels::dense_forward(ConstTensor x, ConstTensor w, ConstTensor b, Activation sigma, Tensor y) {
    expect_rank("dense_forward", "x", x.shape, 2);
    expect_rank("dense_forward", "w", w.shape, 2);
    expect("dense_forward", "w", w.shape, {w.shape[0], x.shape[1]});
    expect("dense_forward", "b", b.shape, {w.shape[0]});
    expect("dense_forward", "y", y.shape, {x.shape[0], w.shape[0]});
    do_dense_forward(x, w, b, sigma, y);
}

void Kernels::dense_backward(ConstTensor x, ConstTensor w, ConstTensor y, Activation sigma, Tensor dy,
                             Tensor dx, Tensor dw, Tensor db, GradMode mode) {
    expect_rank("dense_backward", "x", x.shape, 2);
    expect_rank("dense_backward", "w", w.shape, 2);
    expect("dense_backward", "w", w.shape, {w.shape[0], x.shape[1]});
    expect("dense_backward", "y", y.shape, {x.shape[0], w.shape[0]});
    expect("dense_backward", "dy", dy.shape, y.shape);
    if (dx) expect("dense_backward", "dx", dx.shape, x.shape);
    expect("dense_backward", "dw", dw.shape, w.shape);
    expect("dense_backward", "db", db.shape, {w.shape[0]});
    do_dense_backward(x, w, y, sigma, dy, dx, dw, db, mode);
}

void Kernels::conv2d_forward(ConstTensor x, ConstTensor w, const Conv2dParams& params, Tensor y) {
    expect("conv2d_forward", "y", y.shape, convolved("conv2d_forward", x, w, params));
    do_conv2d_forward(x, w, params, y);
}

void Kernels::conv2d_backward(ConstTensor x, ConstTensor w, ConstTensor dy, const Conv2dParams& params,
                              Tensor dx, Tensor dw, GradMode mode) {
    expect("conv2d_backward", "dy", dy.shape, convolved("conv2d_backward", x, w, params));
    if (dx) expect("conv2d_backward", "dx", dx.shape, x.shape);
    expect("conv2d_backward", "dw", dw.shape, w.shape);
    do_conv2d_backward(x, w, dy, params, dx, dw, mode);
}

void Kernels::batch_norm_forward_training(ConstTensor x, ConstTensor scale, ConstTensor shift,
                                          const BatchNormParams& params, Tensor running_mean,
                                          Tensor running_variance, Tensor saved_mean,
                                          Tensor saved_inverse_deviation, ConstTensor residual,
                                          Activation sigma, Tensor y) {
    const char* const name = "batch_norm_forward_training";
    expect_rank(name, "x", x.shape, 4);
    const Shape channels{x.shape[3]};
    expect(name, "scale", scale.shape, channels);
    expect(name, "shift", shift.shape, channels);
    expect(name, "running_mean", running_mean.shape, channels);
    expect(name, "running_variance", running_variance.shape, channels);
    expect(name, "saved_mean", saved_mean.shape, channels);
    expect(name, "saved_inverse_deviation", saved_inverse_deviation.shape, channels);
    if (residual) expect(name, "residual", residual.shape, x.shape);
    expect(name, "y", y.shape, x.shape);
    check_batch_norm(name, params);
    do_batch_norm_forward_training(x, scale, shift, params, running_mean, running_variance, saved_mean,
                                   saved_inverse_deviation, residual, sigma, y);
}

void Kernels::batch_norm_forward_inference(ConstTensor x, ConstTensor scale, ConstTensor shift,
                                           const BatchNormParams& params, ConstTensor running_mean,
                                           ConstTensor running_variance, ConstTensor residual,
                                           Activation sigma, Tensor y) {
    const char* const name = "batch_norm_forward_inference";
    expect_rank(name, "x", x.shape, 4);
    const Shape channels{x.shape[3]};
    expect(name, "scale", scale.shape, channels);
    expect(name, "shift", shift.shape, channels);
    expect(name, "running_mean", running_mean.shape, channels);
    expect(name, "running_variance", running_variance.shape, channels);
    if (residual) expect(name, "residual", residual.shape, x.shape);
    expect(name, "y", y.shape, x.shape);
    check_batch_norm(name, params);
    do_batch_norm_forward_inference(x, scale, shift, params, running_mean, running_variance, residual, sigma,
                                    y);
}

void Kernels::batch_norm_backward(ConstTensor x, ConstTensor y, ConstTensor scale, ConstTensor saved_mean,
                                  ConstTensor saved_inverse_deviation, Activation sigma, Tensor dy, Tensor dx,
                                  Tensor dscale, Tensor dshift, GradMode mode) {
    const char* const name = "batch_norm_backward";
    expect_rank(name, "x", x.shape, 4);
    const Shape channels{x.shape[3]};
    if (sigma != Activation::Identity || y) expect(name, "y", y.shape, x.shape);
    expect(name, "scale", scale.shape, channels);
    expect(name, "saved_mean", saved_mean.shape, channels);
    expect(name, "saved_inverse_deviation", saved_inverse_deviation.shape, channels);
    expect(name, "dy", dy.shape, x.shape);
    expect(name, "dx", dx.shape, x.shape);
    expect(name, "dscale", dscale.shape, channels);
    expect(name, "dshift", dshift.shape, channels);
    do_batch_norm_backward(x, y, scale, saved_mean, saved_inverse_deviation, sigma, dy, dx, dscale, dshift,
                           mode);
}

void Kernels::average_pool_forward(ConstTensor x, const PoolParams& params, Tensor y) {
    expect("average_pool_forward", "y", y.shape, pooled("average_pool_forward", "x", x.shape, params));
    do_average_pool_forward(x, params, y);
}

void Kernels::average_pool_backward(ConstTensor dy, const PoolParams& params, Tensor dx) {
    expect("average_pool_backward", "dy", dy.shape, pooled("average_pool_backward", "dx", dx.shape, params));
    do_average_pool_backward(dy, params, dx);
}

void Kernels::max_pool_forward(ConstTensor x, const PoolParams& params, Tensor y) {
    expect("max_pool_forward", "y", y.shape, pooled("max_pool_forward", "x", x.shape, params));
    do_max_pool_forward(x, params, y);
}

void Kernels::max_pool_backward(ConstTensor x, ConstTensor y, ConstTensor dy, const PoolParams& params,
                                Tensor dx) {
    expect("max_pool_backward", "y", y.shape, pooled("max_pool_backward", "x", x.shape, params));
    expect("max_pool_backward", "dy", dy.shape, y.shape);
    expect("max_pool_backward", "dx", dx.shape, x.shape);
    do_max_pool_backward(x, y, dy, params, dx);
}

void Kernels::add(ConstTensor x, Tensor y) {
    expect_rank("add", "x", x.shape, std::max(1, x.shape.rank()));
    expect("add", "y", y.shape, x.shape);
    do_add(x, y);
}

void Kernels::dropout(ConstTensor x, const DropoutParams& params, TensorView<const StepState> state,
                      Tensor y) {
    expect_rank("dropout", "x", x.shape, std::max(1, x.shape.rank()));
    expect("dropout", "y", y.shape, x.shape);
    expect("dropout", "state", state.shape, {1});
    if (!(params.rate >= 0.0 && params.rate < 1.0))
        throw InputError("dropout: rate {} given, expected 0 to less than 1", params.rate);
    do_dropout(x, params, state, y);
}

void Kernels::mean_squared_error(ConstTensor p, ConstTensor t, Tensor dp, TensorView<double> sums,
                                 TensorView<const StepState> state) {
    expect_rank("mean_squared_error", "p", p.shape, 2);
    expect("mean_squared_error", "t", t.shape, p.shape);
    if (dp) expect("mean_squared_error", "dp", dp.shape, p.shape);
    expect_rank("mean_squared_error", "sums", sums.shape, 1);
    expect("mean_squared_error", "state", state.shape, {1});
    do_mean_squared_error(p, t, dp, sums, state);
}

void Kernels::softmax_cross_entropy(ConstTensor z, ConstTensor t, Tensor dz, TensorView<double> sums,
                                    TensorView<const StepState> state) {
    expect_rank("softmax_cross_entropy", "z", z.shape, 2);
    expect("softmax_cross_entropy", "t", t.shape, z.shape);
    if (dz) expect("softmax_cross_entropy", "dz", dz.shape, z.shape);
    expect_rank("softmax_cross_entropy", "sums", sums.shape, 1);
    expect("softmax_cross_entropy", "state", state.shape, {1});
    do_softmax_cross_entropy(z, t, dz, sums, state);
}

void Kernels::softmax(ConstTensor z, Tensor p) {
    expect_rank("softmax", "z", z.shape, 2);
    expect("softmax", "p", p.shape, z.shape);
    do_softmax(z, p);
}

void Kernels::count_correct(ConstTensor p, TensorView<const std::int32_t> labels,
                            TensorView<std::int64_t> correct) {
    expect_rank("count_correct", "p", p.shape, 2);
    expect("count_correct", "labels", labels.shape, {p.shape[0]});
    expect("count_correct", "correct", correct.shape, {1});
    do_count_correct(p, labels, correct);
}

void Kernels::adam(Tensor w, ConstTensor dw, Tensor m, Tensor v, const AdamParams& params,
                   TensorView<const StepState> state) {
    expect_rank("adam", "w", w.shape, 1);
    expect("adam", "dw", dw.shape, w.shape);
    expect("adam", "m", m.shape, w.shape);
    expect("adam", "v", v.shape, w.shape);
    expect("adam", "state", state.shape, {1});
    do_adam(w, dw, m, v, params, state);
}

void Kernels::gather_rows(ConstTensor source, TensorView<const std::int32_t> permutation,
                          TensorView<const StepState> state, Tensor batch) {
    expect_rank("gather_rows", "source", source.shape, std::max(1, source.shape.rank()));
    expect("gather_rows", "permutation", permutation.shape, {source.shape[0]});
    expect("gather_rows", "state", state.shape, {1});
    if (batch.rows() > source.rows() || batch.columns() != source.columns())
        throw InputError("gather_rows: batch has shape {}, expected at most {} rows of {} elements",
                         batch.shape.text(), source.rows(), source.columns());
    do_gather_rows(source, permutation, state, batch);
}

void Kernels::gather_augmented_images(ConstTensor source, TensorView<const std::int32_t> permutation,
                                      TensorView<const StepState> state, const AugmentParams& params,
                                      Tensor batch) {
    const char* const name = "gather_augmented_images";
    expect_rank(name, "source", source.shape, 4);
    expect(name, "permutation", permutation.shape, {source.shape[0]});
    expect(name, "state", state.shape, {1});
    expect_rank(name, "batch", batch.shape, 4);
    expect(name, "batch", batch.shape,
           {std::min(batch.shape[0], source.shape[0]), source.shape[1], source.shape[2], source.shape[3]});
    if (params.crop < 0 || params.crop >= std::min(source.shape[1], source.shape[2]))
        throw InputError("{}: crop {} given, expected 0 to less than the image's {} x {}", name, params.crop,
                         source.shape[1], source.shape[2]);
    do_gather_augmented_images(source, permutation, state, params, batch);
}

void Kernels::random_permutation(TensorView<std::int32_t> permutation, std::uint64_t seed,
                                 std::uint32_t epoch) {
    expect_rank("random_permutation", "permutation", permutation.shape, 1);
    do_random_permutation(permutation, seed, epoch);
}

void Kernels::advance(TensorView<StepState> state, std::int64_t samples) {
    expect("advance", "state", state.shape, {1});
    do_advance(state, samples);
}

void Kernels::add_squared_norms(ConstTensor x, TensorView<const std::int64_t> bounds,
                                TensorView<double> sums) {
    expect_rank("add_squared_norms", "x", x.shape, 1);
    expect_rank("add_squared_norms", "sums", sums.shape, 1);
    expect("add_squared_norms", "bounds", bounds.shape, {sums.shape[0] + 1});
    do_add_squared_norms(x, bounds, sums);
}

}  // namespace deepfreq
