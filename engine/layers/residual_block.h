#pragma once

#include <optional>

#include "engine/layers/convolution.h"

namespace deepfreq {

/// The basic block of ResNet-18 (He et al. 2016) as one layer with its way back written out:
///   a = sigma(bn(conv3x3(x)));  y = sigma(bn(conv3x3(a)) + shortcut(x)),
/// where the shortcut is x itself, or bn(conv1x1(x)) where size or channels change. Without it: a plain block
/// of two convolutions.
class ResidualBlock final : public Layer {
  public:
    ResidualBlock(const ImageShape& input, std::int64_t channels, std::int64_t stride, bool residual = true,
                  Activation sigma = Activation::Relu);

    const ImageShape& output_shape() const { return second_.output_shape(); }
    std::string description() const override;
    std::int64_t inputs() const override { return first_.input_shape().elements(); }
    std::int64_t outputs() const override { return output_shape().elements(); }
    std::vector<ParameterSpec> parameters() const override;
    std::vector<ParameterSpec> state() const override;
    std::vector<Shape> kept(std::int64_t n) const override;
    std::vector<Shape> scratch(std::int64_t n) const override;
    void forward(Kernels& kernels, const LayerMemory& memory, Mode mode, ConstTensor x,
                 Tensor y) const override;
    void backward(Kernels& kernels, const LayerMemory& memory, ConstTensor x, ConstTensor y, Tensor dy,
                  Tensor dx, GradMode grad) const override;

  private:
    std::int64_t stride_;
    bool residual_;
    Activation sigma_;
    NormalizedConvolution first_, second_;
    std::optional<NormalizedConvolution> projection_;
};

}  // namespace deepfreq
