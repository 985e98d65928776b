#pragma once

#include <optional>

#include "engine/layers/convolution.h"

namespace deepfreq {

struct ResidualBlockParams {
    std::int64_t channels = 1;  ///< of both convolutions
    std::int64_t stride = 1;    ///< of the first
    bool residual = true;       ///< false: a plain block of two convolutions
    Activation activation = Activation::Relu;
    bool activate_before_sum = false;
    BatchNormParams batch_norm = {};
};

/// The basic block of ResNet-18 (He et al. 2016) as one layer:
///   a = activation(bn(conv3x3(x)));  y = activation(bn(conv3x3(a)) + shortcut(x)),
/// where the shortcut is x itself, or bn(conv1x1(x)) if the size or the number of channels changes. Without
/// the shortcut it is a plain block of two convolutions.
///
/// With activate_before_sum:
///   branch = activation(bn(conv3x3(a)));  y = branch + shortcut(x),
/// where the shortcut is x or activation(bn(conv1x1(x))). With ReLU and x >= 0, as after any layer with ReLU,
/// this is the block of the paper's programs: their last ReLU acts on a sum of numbers >= 0 and changes
/// nothing.
class ResidualBlock final : public Layer {
  public:
    ResidualBlock(const ImageShape& input, const ResidualBlockParams& params);

    const ImageShape& output_shape() const { return second_.output_shape(); }
    std::string description() const override;
    std::int64_t inputs() const override { return first_.input_shape().elements(); }
    std::int64_t outputs() const override { return output_shape().elements(); }
    void plan(MemoryPlan& plan) override;
    void forward(Backend& backend, const LayerMemory& memory, Mode mode, ConstTensor x,
                 Tensor y) const override;
    void backward(Backend& backend, const LayerMemory& memory, ConstTensor x, ConstTensor y, Tensor dy,
                  Tensor dx, GradMode grad) const override;

  private:
    bool adds_after_activation() const { return params_.residual && params_.activate_before_sum; }
    Activation shortcut_activation() const {
        return params_.activate_before_sum ? params_.activation : Activation::Identity;
    }

    ResidualBlockParams params_;
    NormalizedConvolution first_, second_;
    std::optional<NormalizedConvolution> projection_;
    Saved a_, projected_, branch_;
    Scratch dz_, da_, dx_of_projection_, dy_of_branch_;
};

}  // namespace deepfreq
