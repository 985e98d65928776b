#pragma once

#include <vector>

#include "engine/layer.h"

namespace deepfreq {

/// y = x + g(x), a residual connection around one dense layer or a chain of them:
///   g = f_k ∘ … ∘ f_1,  f_i(x) = activation(x w_i^T + b_i).
/// Parameters: w_i[width,width] and b_i[width], for each i in turn.
class ResidualDense final : public Layer {
  public:
    /// Spans `spanned` dense layers. Throws InputError when a number is below 1.
    ResidualDense(std::int64_t width, Activation activation, int spanned = 1);

    std::string description() const override;
    std::int64_t inputs() const override { return width_; }
    std::int64_t outputs() const override { return width_; }
    void plan(MemoryPlan& plan) override;
    void forward(Backend& backend, const LayerMemory& memory, Mode mode, ConstTensor x,
                 Tensor y) const override;
    void backward(Backend& backend, const LayerMemory& memory, ConstTensor x, ConstTensor y, Tensor dy,
                  Tensor dx, GradMode grad) const override;

  private:
    /// One of the dense layers.
    struct Inner {
        Parameter weight, bias;
        Saved y;
        Scratch dy;
    };

    std::int64_t width_;
    Activation activation_;
    std::vector<Inner> inner_;
};

}  // namespace deepfreq
