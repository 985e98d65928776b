#pragma once

#include <cuda_runtime_api.h>

#include <memory>

#include "kernels/cuda/batchnorm_kernels.h"
#include "kernels/cuda/convolutions.h"
#include "kernels/cuda/gemm.h"
#include "kernels/cuda/handles.h"
#include "kernels/cuda/measuring_backend.h"
#include "kernels/cuda/workspace.h"
#include "kernels/kernels.h"

namespace deepfreq {

/// One file of this folder per family of operations, with the stems of the CPU backend. All work goes to the
/// stream of CudaMeasuringKernels, in order; a dense layer's weight gradient runs beside it on a second one,
/// and is waited for.
class CudaKernels final : public Kernels, public CudaMeasuringKernels {
  public:
    /// Takes device `index`. Throws InputError with the cure when it cannot be used.
    CudaKernels(int index, Precision precision);
    ~CudaKernels() override;

    std::string description() const override;
    Precision precision() const override { return precision_; }

  private:
    // recording.cpp
    std::unique_ptr<Recording> do_record(std::function<void()> work) override;
    // dense.cu
    void do_dense_forward(ConstTensor x, ConstTensor w, ConstTensor b, Activation sigma, Tensor y) override;
    void do_dense_backward(ConstTensor x, ConstTensor w, ConstTensor y, Activation sigma, Tensor dy,
                           Tensor dx, Tensor dw, Tensor db, GradMode mode) override;
    // losses.cu
    void do_mean_squared_error(ConstTensor p, ConstTensor t, Tensor dp, TensorView<double> sums,
                               TensorView<const StepState> state) override;
    void do_softmax_cross_entropy(ConstTensor z, ConstTensor t, Tensor dz, TensorView<double> sums,
                                  TensorView<const StepState> state) override;
    void do_softmax(ConstTensor z, Tensor p) override;
    void do_count_correct(ConstTensor p, TensorView<const std::int32_t> labels,
                          TensorView<std::int64_t> correct) override;
    // adam.cu
    void do_adam(Tensor w, ConstTensor dw, Tensor m, Tensor v, const AdamParams& params,
                 TensorView<const StepState> state) override;
    // gather.cu
    void do_gather_rows(ConstTensor source, TensorView<const std::int32_t> permutation,
                        TensorView<const StepState> state, Tensor batch) override;
    void do_gather_augmented_images(ConstTensor source, TensorView<const std::int32_t> permutation,
                                    TensorView<const StepState> state, const AugmentParams& params,
                                    Tensor batch) override;
    void do_random_permutation(TensorView<std::int32_t> permutation, std::uint64_t seed,
                               std::uint32_t epoch) override;
    void do_advance(TensorView<StepState> state, std::int64_t samples) override;
    // gradient_norms.cu
    void do_add_squared_norms(ConstTensor x, TensorView<const std::int64_t> bounds,
                              TensorView<double> sums) override;
    // conv2d.cpp
    void do_conv2d_forward(ConstTensor x, ConstTensor w, const Conv2dParams& params, Tensor y) override;
    void do_conv2d_backward(ConstTensor x, ConstTensor w, ConstTensor dy, const Conv2dParams& params,
                            Tensor dx, Tensor dw, GradMode mode) override;
    // batchnorm.cu
    void do_batch_norm_forward_training(ConstTensor x, ConstTensor scale, ConstTensor shift,
                                        const BatchNormParams& params, Tensor running_mean,
                                        Tensor running_variance, Tensor saved_mean,
                                        Tensor saved_inverse_deviation, ConstTensor residual,
                                        Activation sigma, Tensor y) override;
    void do_batch_norm_forward_inference(ConstTensor x, ConstTensor scale, ConstTensor shift,
                                         const BatchNormParams& params, ConstTensor running_mean,
                                         ConstTensor running_variance, ConstTensor residual, Activation sigma,
                                         Tensor y) override;
    void do_batch_norm_backward(ConstTensor x, ConstTensor y, ConstTensor scale, ConstTensor saved_mean,
                                ConstTensor saved_inverse_deviation, Activation sigma, Tensor dy, Tensor dx,
                                Tensor dscale, Tensor dshift, GradMode mode) override;
    // pool.cu
    void do_average_pool_forward(ConstTensor x, const PoolParams& params, Tensor y) override;
    void do_average_pool_backward(ConstTensor dy, const PoolParams& params, Tensor dx) override;
    void do_max_pool_forward(ConstTensor x, const PoolParams& params, Tensor y) override;
    void do_max_pool_backward(ConstTensor x, ConstTensor y, ConstTensor dy, const PoolParams& params,
                              Tensor dx) override;
    // elementwise.cu
    void do_add(ConstTensor x, Tensor y) override;
    void do_dropout(ConstTensor x, const DropoutParams& params, TensorView<const StepState> state,
                    Tensor y) override;

    /// Blocks whose partial sums a loss may leave between two of its launches.
    static constexpr int partial_sums = 1024;

    Precision precision_;
    cuda::Stream side_stream_;
    cuda::Event fork_, join_;  // where the side stream leaves the main one, and comes back
    cuda::Workspace workspace_{stream_}, side_workspace_{side_stream_};
    cuda::Gemm gemm_, side_gemm_;  // one a stream
    cuda::Convolutions convolutions_;
    Buffer partial_sums_;  // doubles that a recorded operation may use between two of its launches
};

}  // namespace deepfreq
