#pragma once

#include "kernels/backend.h"

namespace deepfreq::cuda {

/// The network operations on `Device`, which launches kernels and provides matrix products and convolutions:
/// NetworkDevice on a GPU and, in the tests, HostDevice, which runs the very same code on host threads. They
/// are defined beside their kernels, in FAMILY_kernels.h, and compiled for a GPU in FAMILY.cu.
template <class Device>
class BackendOn : public Backend {
  protected:
    template <class... Arguments>
    explicit BackendOn(const Arguments&... arguments) : device_(arguments...) {}

  private:
    using SpectrumOperations::execute;
    // dense
    void execute(const DenseForward& operation) override;
    void execute(const DenseBackward& operation) override;
    // conv2d
    void execute(const Conv2dForward& operation) override;
    void execute(const Conv2dBackward& operation) override;
    // batchnorm
    void execute(const BatchNormForwardTraining& operation) override;
    void execute(const BatchNormForwardInference& operation) override;
    void execute(const BatchNormBackward& operation) override;
    // pool
    void execute(const AveragePoolForward& operation) override;
    void execute(const AveragePoolBackward& operation) override;
    void execute(const MaxPoolForward& operation) override;
    void execute(const MaxPoolBackward& operation) override;
    // elementwise
    void execute(const Add& operation) override;
    void execute(const ApplyDropout& operation) override;
    // losses
    void execute(const MeanSquaredError& operation) override;
    void execute(const SoftmaxCrossEntropy& operation) override;
    void execute(const Softmax& operation) override;
    void execute(const CountCorrect& operation) override;
    // adam
    void execute(const Adam& operation) override;
    // gather
    void execute(const GatherRows& operation) override;
    void execute(const GatherAugmentedImages& operation) override;
    void execute(const RandomPermutation& operation) override;
    void execute(const Advance& operation) override;
    // gradient_norms
    void execute(const AddSquaredNorms& operation) override;

    Device device_;
};

}  // namespace deepfreq::cuda
