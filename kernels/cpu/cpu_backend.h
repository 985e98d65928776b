#pragma once

#include "kernels/backend.h"
#include "kernels/cpu/convolutions.h"
#include "kernels/cpu/gemm.h"
#include "kernels/cpu/spectrum_backend.h"
#include "kernels/cpu/workspace.h"

namespace deepfreq {

/// The CPU backend. Each family of operations has its own file in this folder.
class CpuBackend final : public Backend, public CpuSpectrumBackend {
  public:
    /// Float32 or BFloat16.
    explicit CpuBackend(Precision precision)
        : precision_(precision), gemm_(precision), convolutions_(precision) {}

    std::string description() const override;
    Precision precision() const override { return precision_; }

  private:
    // cpu_backend.cpp
    std::unique_ptr<Graph> capture_work(std::function<void()> work) override;
    using CpuSpectrumBackend::execute;
    // dense.cpp
    void execute(const DenseForward& op) override;
    void execute(const DenseBackward& op) override;
    // conv2d.cpp
    void execute(const Conv2dForward& op) override;
    void execute(const Conv2dBackward& op) override;
    // batchnorm.cpp
    void execute(const BatchNormForwardTraining& op) override;
    void execute(const BatchNormForwardInference& op) override;
    void execute(const BatchNormBackward& op) override;
    // pool.cpp
    void execute(const AveragePoolForward& op) override;
    void execute(const AveragePoolBackward& op) override;
    void execute(const MaxPoolForward& op) override;
    void execute(const MaxPoolBackward& op) override;
    // elementwise.cpp
    void execute(const Add& op) override;
    void execute(const ApplyDropout& op) override;
    // losses.cpp
    void execute(const MeanSquaredError& op) override;
    void execute(const SoftmaxCrossEntropy& op) override;
    void execute(const Softmax& op) override;
    void execute(const CountCorrect& op) override;
    // adam.cpp
    void execute(const Adam& op) override;
    // gather.cpp
    void execute(const GatherRows& op) override;
    void execute(const GatherAugmentedImages& op) override;
    void execute(const RandomPermutation& op) override;
    void execute(const Advance& op) override;
    // gradient_norms.cpp
    void execute(const AddSquaredNorms& op) override;

    Precision precision_;
    Gemm gemm_;
    Convolutions convolutions_;
    Workspace workspace_;
    Workspace small_workspace_;  // a second one, for small buffers
};

}  // namespace deepfreq
