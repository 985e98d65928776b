#pragma once

#include <cstring>
#include <memory>
#include <utility>

#include "kernels/cuda/adam_kernels.h"
#include "kernels/cuda/batchnorm_kernels.h"
#include "kernels/cuda/dense_kernels.h"
#include "kernels/cuda/dropout_kernels.h"
#include "kernels/cuda/gather_kernels.h"
#include "kernels/cuda/losses_kernels.h"
#include "kernels/cuda/measuring_kernels.h"
#include "kernels/cuda/pool_kernels.h"
#include "kernels/cuda/spectrum_driver.h"
#include "kernels/kernels.h"
#include "tests/host_device.h"

namespace deepfreq::tests {

/// The CUDA backend with the host in place of the GPU: the kernels, their launches and their order are the
/// backend's own; matrix products, sorting and memory, which are libraries there, are plain loops here.
class CudaOnHost final : public Kernels {
  public:
    std::string description() const override { return "the CUDA backend's kernels on the host"; }
    void synchronize() override {}

  private:
    void* do_allocate(std::size_t bytes) override { return ::operator new (bytes, std::align_val_t{256}); }
    void do_release(void* data) noexcept override { ::operator delete (data, std::align_val_t{256}); }
    std::size_t do_free_bytes() const override { return 0; }
    void do_upload(const void* host, void* device, std::size_t bytes) override {
        do_copy(host, device, bytes);
    }
    void do_download(const void* device, void* host, std::size_t bytes) override {
        do_copy(device, host, bytes);
    }
    void do_copy(const void* from, void* to, std::size_t bytes) override {
        if (bytes > 0) std::memcpy(to, from, bytes);
    }
    void do_zero(void* data, std::size_t bytes) override {
        if (bytes > 0) std::memset(data, 0, bytes);
    }
    std::unique_ptr<Recording> do_record(std::function<void()> work) override {
        struct Again final : Recording {
            explicit Again(std::function<void()> w) : work(std::move(w)) {}
            void replay() override { work(); }
            std::function<void()> work;
        };
        return std::make_unique<Again>(std::move(work));
    }

    /// c[m,n] = [c +] a b; element (i, k) of a is a[i * a_row + k * a_column], and b's likewise.
    struct Strides {
        std::int64_t row, column;
    };
    static void multiply(std::int64_t m, std::int64_t n, std::int64_t k, const float* a, Strides of_a,
                         const float* b, Strides of_b, bool add, float* c) {
        for (std::int64_t i = 0; i < m; ++i)
            for (std::int64_t j = 0; j < n; ++j) {
                float sum = 0.0F;
                for (std::int64_t l = 0; l < k; ++l)
                    sum += a[i * of_a.row + l * of_a.column] * b[l * of_b.row + j * of_b.column];
                c[i * n + j] = add ? c[i * n + j] + sum : sum;
            }
    }

    void do_dense_forward(ConstTensor x, ConstTensor w, ConstTensor b, Activation sigma, Tensor y) override {
        const std::int64_t in = w.columns();
        multiply(x.rows(), w.rows(), in, x.data, {in, 1}, w.data, {1, in}, false, y.data);
        math::with_activation(sigma, [&]<Activation A> {
            device_.each(y.elements(), cuda::AddBiasAndActivate<A>{b.data, y.data, y.columns()});
        });
    }
    void do_dense_backward(ConstTensor x, ConstTensor w, ConstTensor y, Activation sigma, Tensor dy,
                           Tensor dx, Tensor dw, Tensor db, GradMode mode) override {
        const std::int64_t n = x.rows();
        const std::int64_t in = w.columns();
        const std::int64_t out = w.rows();
        math::with_activation(sigma, [&]<Activation A> {
            using Kernel = cuda::ActivationBackward<A>;
            device_.blocks(cuda::blocks_for(out, Kernel::block_columns),
                           Kernel{y.data, dy.data, db.data, n, out, mode});
        });
        multiply(out, in, n, dy.data, {1, out}, x.data, {in, 1}, mode == GradMode::Accumulate, dw.data);
        if (dx) multiply(n, in, out, dy.data, {out, 1}, w.data, {in, 1}, false, dx.data);
    }

    /// Few partial sums, so that the small cases of the table take several blocks too.
    static constexpr std::int64_t partial_limit = 3;
    void do_mean_squared_error(ConstTensor p, ConstTensor t, Tensor dp, TensorView<double> sums,
                               TensorView<const StepState> state) override {
        const std::int64_t count = p.elements();
        const cuda::LossTarget target{sums.data, state.data, static_cast<double>(p.columns()), partial_};
        const double scale = 2.0 / static_cast<double>(count);
        cuda::run_loss(device_, cuda::SquaredErrors{p.data, t.data, count, scale, dp.data, target},
                       cuda::loss_blocks(count, partial_limit));
    }
    void do_softmax_cross_entropy(ConstTensor z, ConstTensor t, Tensor dz, TensorView<double> sums,
                                  TensorView<const StepState> state) override {
        const std::int64_t n = z.rows();
        const cuda::LossTarget target{sums.data, state.data, 1.0, partial_};
        const double scale = 1.0 / static_cast<double>(n);
        cuda::run_loss(device_, cuda::CrossEntropies{z.data, t.data, n, z.columns(), scale, dz.data, target},
                       cuda::row_loss_blocks(n, z.columns(), partial_limit));
    }
    void do_softmax(ConstTensor z, Tensor p) override {
        device_.each(z.rows(), cuda::SoftmaxOfRow{z.data, z.columns(), p.data});
    }
    void do_count_correct(ConstTensor p, TensorView<const std::int32_t> labels,
                          TensorView<std::int64_t> correct) override {
        device_.blocks(1, cuda::CountCorrect{p.data, labels.data, p.rows(), p.columns(), correct.data});
    }

    void do_adam(Tensor w, ConstTensor dw, Tensor m, Tensor v, const AdamParams& params,
                 TensorView<const StepState> state) override {
        const std::int64_t size = w.elements();
        device_.blocks(cuda::adam_blocks(size),
                       cuda::AdamUpdate{w.data, dw.data, m.data, v.data, size, params, state.data});
    }
    void do_gather_rows(ConstTensor source, TensorView<const std::int32_t> permutation,
                        TensorView<const StepState> state, Tensor batch) override {
        cuda::gather_rows(device_, source, permutation, state, batch);
    }
    void do_gather_augmented_images(ConstTensor source, TensorView<const std::int32_t> permutation,
                                    TensorView<const StepState> state, const AugmentParams& params,
                                    Tensor batch) override {
        device_.each(batch.elements(),
                     cuda::GatherAugmented(source, permutation.data, state.data, params, batch.data));
    }
    void do_random_permutation(TensorView<std::int32_t> permutation, std::uint64_t seed,
                               std::uint32_t epoch) override {
        cuda::random_permutation(device_, permutation, seed, epoch);
    }
    void do_advance(TensorView<StepState> state, std::int64_t samples) override {
        device_.each(1, cuda::Advance{state.data, samples});
    }

    void do_centre_columns(Tensor x) override {
        cuda::centre_columns(device_, x.data, x.rows(), x.columns());
    }
    void do_scale_columns_by_max_abs(Tensor x) override {
        cuda::scale_columns(device_, x.data, x.rows(), x.columns());
    }
    double do_sum_of_squares(ConstTensor x, const ColumnScale& scale) override {
        if (x.elements() == 0) return 0.0;
        const auto scaled = cuda::scaled_copy(device_, x, scale);
        return cuda::sum_of_squares(device_, scale.given() ? scaled.data() : x.data, x.elements());
    }
    void do_add_squared_norms(ConstTensor x, TensorView<const std::int64_t> bounds,
                              TensorView<double> sums) override {
        cuda::add_squared_norms(device_, x.data, bounds, sums, partial_, partial_limit);
    }
    std::optional<std::int64_t> do_first_non_finite(ConstTensor x) override {
        const std::int64_t count = x.elements();
        if (count == 0) return std::nullopt;
        const std::int64_t first = cuda::first_non_finite(device_, x.data, count);
        return first < count ? std::optional(first) : std::nullopt;
    }
    std::vector<double> do_gaussian_low_frequency_energy(ConstTensor x, ConstTensor y,
                                                         std::span<const double> inv_delta,
                                                         const LowFrequencyParams& params) override {
        if (inv_delta.empty()) return {};
        return cuda::spectrum::LowFrequencyEnergy<HostDevice>(device_, x, y, inv_delta, params).compute();
    }
    std::vector<double> do_gaussian_low_frequency_row_energies(ConstTensor x, ConstTensor y,
                                                               std::span<const double> inv_delta,
                                                               std::span<const std::int64_t> rows,
                                                               const LowFrequencyParams& params) override {
        return cuda::spectrum::LowFrequencyEnergy<HostDevice>(device_, x, y, inv_delta, params, rows)
            .compute_rows();
    }

    /// y or dx or dw of a convolution by its definition: work(x, w, y) for every product, as offsets.
    template <class Work>
    static void for_each_product(const Shape& x, const Shape& w, const Shape& y, const Conv2dParams& params,
                                 const Work& work) {
        for (std::int64_t out = 0; out < y.elements(); ++out)
            for (std::int64_t a = 0; a < w[1]; ++a)
                for (std::int64_t b = 0; b < w[2]; ++b) {
                    const std::int64_t filter = out % y[3];
                    const std::int64_t pixel = out / y[3];
                    const std::int64_t row = pixel / y[2] % y[1] * params.stride + a - params.padding;
                    const std::int64_t column = pixel % y[2] * params.stride + b - params.padding;
                    if (row < 0 || row >= x[1] || column < 0 || column >= x[2]) continue;
                    const std::int64_t of_x = ((pixel / y[2] / y[1] * x[1] + row) * x[2] + column) * x[3];
                    const std::int64_t of_w = ((filter * w[1] + a) * w[2] + b) * w[3];
                    for (std::int64_t c = 0; c < x[3]; ++c) work(of_x + c, of_w + c, out);
                }
    }
    void do_conv2d_forward(ConstTensor x, ConstTensor w, const Conv2dParams& params, Tensor y) override {
        do_zero(y.data, static_cast<std::size_t>(y.elements()) * sizeof(float));
        for_each_product(
            x.shape, w.shape, y.shape, params,
            [&](std::int64_t i, std::int64_t j, std::int64_t k) { y.data[k] += x.data[i] * w.data[j]; });
    }
    void do_conv2d_backward(ConstTensor x, ConstTensor w, ConstTensor dy, const Conv2dParams& params,
                            Tensor dx, Tensor dw, GradMode mode) override {
        std::vector<float> sum(static_cast<std::size_t>(dw.elements()), 0.0F);
        if (dx) do_zero(dx.data, static_cast<std::size_t>(dx.elements()) * sizeof(float));
        for_each_product(x.shape, w.shape, dy.shape, params,
                         [&](std::int64_t i, std::int64_t j, std::int64_t k) {
                             sum[static_cast<std::size_t>(j)] += x.data[i] * dy.data[k];
                             if (dx) dx.data[i] += w.data[j] * dy.data[k];
                         });
        for (std::size_t j = 0; j < sum.size(); ++j)
            dw.data[j] = mode == GradMode::Accumulate ? dw.data[j] + sum[j] : sum[j];
    }
    void do_batch_norm_forward_training(ConstTensor x, ConstTensor scale, ConstTensor shift,
                                        const BatchNormParams& params, Tensor running_mean,
                                        Tensor running_variance, Tensor saved_mean,
                                        Tensor saved_inverse_deviation, ConstTensor residual,
                                        Activation sigma, Tensor y) override {
        cuda::batch_norm_training(device_, channel_sums_.data(), x, scale, shift, params, running_mean,
                                  running_variance, saved_mean, saved_inverse_deviation, residual, sigma, y);
    }
    void do_batch_norm_forward_inference(ConstTensor x, ConstTensor scale, ConstTensor shift,
                                         const BatchNormParams& params, ConstTensor running_mean,
                                         ConstTensor running_variance, ConstTensor residual, Activation sigma,
                                         Tensor y) override {
        cuda::batch_norm_inference(device_, x, scale, shift, params, running_mean, running_variance, residual,
                                   sigma, y);
    }
    void do_batch_norm_backward(ConstTensor x, ConstTensor y, ConstTensor scale, ConstTensor saved_mean,
                                ConstTensor saved_inverse_deviation, Activation sigma, Tensor dy, Tensor dx,
                                Tensor dscale, Tensor dshift, GradMode mode) override {
        cuda::batch_norm_backward(device_, channel_sums_.data(), x, y, scale, saved_mean,
                                  saved_inverse_deviation, sigma, dy, dx, dscale, dshift, mode);
    }
    void do_average_pool_forward(ConstTensor x, const PoolParams& params, Tensor y) override {
        device_.each(y.elements(), cuda::AverageWindow{cuda::Windows(x.shape, params), x.data, y.data});
    }
    void do_average_pool_backward(ConstTensor dy, const PoolParams& params, Tensor dx) override {
        device_.each(dx.elements(),
                     cuda::AverageWindowBackward{cuda::Windows(dx.shape, params), dy.data, dx.data});
    }
    void do_max_pool_forward(ConstTensor x, const PoolParams& params, Tensor y) override {
        device_.each(y.elements(), cuda::LargestOfWindow{cuda::Windows(x.shape, params), x.data, y.data});
    }
    void do_max_pool_backward(ConstTensor x, ConstTensor y, ConstTensor dy, const PoolParams& params,
                              Tensor dx) override {
        device_.each(y.elements(), cuda::LargestOfWindowBackward{cuda::Windows(x.shape, params), x.data,
                                                                 y.data, dy.data, dx.data});
    }
    void do_add(ConstTensor x, Tensor y) override { device_.each(x.elements(), cuda::Add{x.data, y.data}); }
    void do_dropout(ConstTensor x, const DropoutParams& params, TensorView<const StepState> state,
                    Tensor y) override {
        cuda::dropout(device_, x.data, x.elements(), params, state.data, y.data);
    }

    HostDevice device_;
    std::vector<double> channel_sums_ = std::vector<double>(cuda::channel_sum_doubles);
    double partial_[partial_limit] = {};
};

}  // namespace deepfreq::tests
