#pragma once

#include <cstddef>
#include <set>

#include "kernels/cuda/convolution_task.h"
#include "kernels/kernels.h"

namespace deepfreq::tests {

/// A device that computes nothing: it notes which convolutions it is asked for and how much memory. Its
/// addresses are those of no memory.
class DryRun final : public Kernels {
  public:
    /// Each once, as the CUDA backend would plan it.
    const std::set<cuda::ConvolutionTask>& convolutions() const { return convolutions_; }
    /// Of all that was allocated.
    std::size_t bytes() const { return bytes_; }

    std::string description() const override { return "dry run"; }
    void synchronize() override {}

  private:
    void* do_allocate(std::size_t bytes) override;
    void do_release(void* /*data*/) noexcept override {}
    std::size_t do_free_bytes() const override;
    void do_upload(const void*, void*, std::size_t) override {}
    void do_download(const void*, void*, std::size_t) override {}
    void do_copy(const void*, void*, std::size_t) override {}
    void do_zero(void*, std::size_t) override {}
    std::unique_ptr<Recording> do_record(std::function<void()>) override { return nullptr; }

    void do_dense_forward(ConstTensor, ConstTensor, ConstTensor, Activation, Tensor) override {}
    void do_dense_backward(ConstTensor, ConstTensor, ConstTensor, Activation, Tensor, Tensor, Tensor, Tensor,
                           GradMode) override {}
    void do_mean_squared_error(ConstTensor, ConstTensor, Tensor, TensorView<double>,
                               TensorView<const StepState>) override {}
    void do_softmax_cross_entropy(ConstTensor, ConstTensor, Tensor, TensorView<double>,
                                  TensorView<const StepState>) override {}
    void do_softmax(ConstTensor, Tensor) override {}
    void do_count_correct(ConstTensor, TensorView<const std::int32_t>, TensorView<std::int64_t>) override {}
    void do_adam(Tensor, ConstTensor, Tensor, Tensor, const AdamParams&,
                 TensorView<const StepState>) override {}
    void do_gather_rows(ConstTensor, TensorView<const std::int32_t>, TensorView<const StepState>,
                        Tensor) override {}
    void do_gather_augmented_images(ConstTensor, TensorView<const std::int32_t>, TensorView<const StepState>,
                                    const AugmentParams&, Tensor) override {}
    void do_random_permutation(TensorView<std::int32_t>, std::uint64_t, std::uint32_t) override {}
    void do_advance(TensorView<StepState>, std::int64_t) override {}
    void do_centre_columns(Tensor) override {}
    void do_scale_columns_by_max_abs(Tensor) override {}
    double do_sum_of_squares(ConstTensor, const ColumnScale&) override { return 0.0; }
    void do_add_squared_norms(ConstTensor, TensorView<const std::int64_t>, TensorView<double>) override {}
    std::optional<std::int64_t> do_first_non_finite(ConstTensor) override { return std::nullopt; }
    std::vector<double> do_gaussian_low_frequency_energy(ConstTensor, ConstTensor,
                                                         std::span<const double> inv_delta,
                                                         const LowFrequencyParams&) override {
        return std::vector<double>(inv_delta.size());
    }
    std::vector<double> do_gaussian_low_frequency_row_energies(ConstTensor, ConstTensor,
                                                               std::span<const double> inv_delta,
                                                               std::span<const std::int64_t> rows,
                                                               const LowFrequencyParams&) override {
        return std::vector<double>(inv_delta.size() * rows.size());
    }

    void do_conv2d_forward(ConstTensor x, ConstTensor w, const Conv2dParams& params, Tensor y) override;
    void do_conv2d_backward(ConstTensor x, ConstTensor w, ConstTensor dy, const Conv2dParams& params,
                            Tensor dx, Tensor dw, GradMode mode) override;
    void do_batch_norm_forward_training(ConstTensor, ConstTensor, ConstTensor, const BatchNormParams&, Tensor,
                                        Tensor, Tensor, Tensor, ConstTensor, Activation, Tensor) override {}
    void do_batch_norm_forward_inference(ConstTensor, ConstTensor, ConstTensor, const BatchNormParams&,
                                         ConstTensor, ConstTensor, ConstTensor, Activation, Tensor) override {
    }
    void do_batch_norm_backward(ConstTensor, ConstTensor, ConstTensor, ConstTensor, ConstTensor, Activation,
                                Tensor, Tensor, Tensor, Tensor, GradMode) override {}
    void do_average_pool_forward(ConstTensor, const PoolParams&, Tensor) override {}
    void do_average_pool_backward(ConstTensor, const PoolParams&, Tensor) override {}
    void do_max_pool_forward(ConstTensor, const PoolParams&, Tensor) override {}
    void do_max_pool_backward(ConstTensor, ConstTensor, ConstTensor, const PoolParams&, Tensor) override {}
    void do_add(ConstTensor, Tensor) override {}
    void do_dropout(ConstTensor, const DropoutParams&, TensorView<const StepState>, Tensor) override {}

    std::set<cuda::ConvolutionTask> convolutions_;
    std::size_t bytes_ = 0;
};

}  // namespace deepfreq::tests
