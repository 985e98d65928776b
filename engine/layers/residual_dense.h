#pragma once

#include "engine/layer.h"

namespace deepfreq {

/// y = x + sigma(x w^T + b): a dense layer with a residual connection around it. Parameters: w[width,width],
/// b[width].
class ResidualDense final : public Layer {
  public:
    /// Throws InputError when the width is below 1.
    ResidualDense(std::int64_t width, Activation sigma);

    std::string description() const override;
    std::int64_t inputs() const override { return width_; }
    std::int64_t outputs() const override { return width_; }
    std::vector<ParameterSpec> parameters() const override;
    std::vector<Shape> kept(std::int64_t n) const override { return {{n, width_}}; }     // sigma(…)
    std::vector<Shape> scratch(std::int64_t n) const override { return {{n, width_}}; }  // gradient by it
    void forward(Kernels& kernels, const LayerMemory& memory, Mode mode, ConstTensor x,
                 Tensor y) const override;
    void backward(Kernels& kernels, const LayerMemory& memory, ConstTensor x, ConstTensor y, Tensor dy,
                  Tensor dx, GradMode grad) const override;

  private:
    std::int64_t width_;
    Activation sigma_;
};

}  // namespace deepfreq
