#pragma once

#include "kernels/kernels.h"

namespace deepfreq {

/// One file of this folder per family of operations: memory, dense, losses, adam, gather, measuring,
/// spectrum.
class CpuKernels final : public Kernels {
  public:
    std::string description() const override;
    void synchronize() override {}

  private:
    // memory.cpp
    void* do_allocate(std::size_t bytes) override;
    void do_release(void* data) noexcept override;
    std::size_t do_free_bytes() const override;
    void do_upload(const void* host, void* device, std::size_t bytes) override;
    void do_download(const void* device, void* host, std::size_t bytes) override;
    void do_copy(const void* from, void* to, std::size_t bytes) override;
    void do_zero(void* data, std::size_t bytes) override;
    // dense.cpp
    void do_dense_forward(ConstTensor x, ConstTensor w, ConstTensor b, Activation sigma, Tensor y) override;
    void do_dense_backward(ConstTensor x, ConstTensor w, ConstTensor y, Activation sigma, Tensor dy,
                           Tensor dx, Tensor dw, Tensor db, GradMode mode) override;
    // losses.cpp
    void do_mean_squared_error(ConstTensor p, ConstTensor t, Tensor dp, TensorView<double> sums,
                               TensorView<const StepState> state) override;
    void do_softmax_cross_entropy(ConstTensor z, ConstTensor t, Tensor dz, TensorView<double> sums,
                                  TensorView<const StepState> state) override;
    void do_count_correct(ConstTensor p, TensorView<const std::int32_t> labels,
                          TensorView<std::int64_t> correct) override;
    // adam.cpp
    void do_adam(Tensor w, ConstTensor dw, Tensor m, Tensor v, const AdamParams& params,
                 TensorView<const StepState> state) override;
    // gather.cpp
    void do_gather_rows(ConstTensor source, TensorView<const std::int32_t> permutation,
                        TensorView<const StepState> state, Tensor batch) override;
    void do_random_permutation(TensorView<std::int32_t> permutation, std::uint64_t seed,
                               std::uint32_t epoch) override;
    void do_advance(TensorView<StepState> state, std::int64_t samples) override;
    // measuring.cpp
    void do_scale_columns_by_max_abs(Tensor x) override;
    double do_sum_of_squares(ConstTensor x) override;
    std::optional<std::int64_t> do_first_non_finite(ConstTensor x) override;
    // spectrum.cpp
    std::vector<double> do_gaussian_low_frequency_energy(ConstTensor x, ConstTensor y,
                                                         std::span<const double> inv_delta,
                                                         const LowFrequencyParams& params) override;
};

}  // namespace deepfreq
