#pragma once

#include "engine/layer.h"

namespace deepfreq {

/// y = x + g(x), a residual connection around one dense layer or a chain of them:
///   g = f_k ∘ … ∘ f_1,  f_i(x) = sigma(x w_i^T + b_i).
/// Parameters: w_i[width,width], b_i[width] of each in turn.
class ResidualDense final : public Layer {
  public:
    /// Spans so many dense layers. Throws InputError when a number is below 1.
    ResidualDense(std::int64_t width, Activation sigma, int spanned = 1);

    std::string description() const override;
    std::int64_t inputs() const override { return width_; }
    std::int64_t outputs() const override { return width_; }
    std::vector<ParameterSpec> parameters() const override;
    std::vector<Shape> kept(std::int64_t n) const override { return each(n); }     // f_1, f_2 ∘ f_1 …
    std::vector<Shape> scratch(std::int64_t n) const override { return each(n); }  // gradients by them
    void forward(Kernels& kernels, const LayerMemory& memory, Mode mode, ConstTensor x,
                 Tensor y) const override;
    void backward(Kernels& kernels, const LayerMemory& memory, ConstTensor x, ConstTensor y, Tensor dy,
                  Tensor dx, GradMode grad) const override;

  private:
    std::vector<Shape> each(std::int64_t n) const { return std::vector<Shape>(spanned_, Shape{n, width_}); }

    std::int64_t width_;
    Activation sigma_;
    std::size_t spanned_;
};

}  // namespace deepfreq
