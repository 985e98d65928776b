#pragma once

#include <string_view>

#include "engine/layer.h"

namespace deepfreq {

/// y = activation(x w^T + b) (eq. 8; eq. 9 with the identity). Parameters: w[outputs,inputs], b[outputs].
class Dense final : public Layer {
  public:
    /// Roles that a network may assign to its layers (ParameterSpec::role): this to the output layer, this
    /// plus l to hidden layer l.
    static constexpr std::uint32_t output_role = 1U << 24U;

    /// Throws InputError when a size is below 1.
    Dense(std::int64_t inputs, std::int64_t outputs, Activation activation, std::uint32_t role = 0);

    std::string description() const override;
    std::int64_t inputs() const override { return inputs_; }
    std::int64_t outputs() const override { return outputs_; }
    void plan(MemoryPlan& plan) override;
    void forward(Backend& backend, const LayerMemory& memory, Mode mode, ConstTensor x,
                 Tensor y) const override;
    void backward(Backend& backend, const LayerMemory& memory, ConstTensor x, ConstTensor y, Tensor dy,
                  Tensor dx, GradMode grad) const override;

  private:
    std::int64_t inputs_;
    std::int64_t outputs_;
    Activation activation_;
    std::uint32_t role_;
    Parameter weight_, bias_;
};

/// "tanh", "relu", "sigmoid" or "identity", and back. Throws InputError for anything else.
Activation parse_activation(std::string_view name);
std::string_view activation_name(Activation activation);

}  // namespace deepfreq
