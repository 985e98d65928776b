#include "engine/layers/dense.h"

#include <array>
#include <utility>

#include "common/error.h"

namespace deepfreq {
namespace {

constexpr std::array<std::pair<std::string_view, Activation>, 4> activations = {
    {{"identity", Activation::Identity},
     {"tanh", Activation::Tanh},
     {"relu", Activation::Relu},
     {"sigmoid", Activation::Sigmoid}}};

}  // namespace

Dense::Dense(std::int64_t inputs, std::int64_t outputs, Activation activation, std::uint32_t role)
    : inputs_(inputs), outputs_(outputs), activation_(activation), role_(role) {
    if (inputs < 1 || outputs < 1)
        throw InputError("a dense layer has sizes {}-{}, expected at least 1 each", inputs, outputs);
}

std::string Dense::description() const {
    return fmt::format("dense {}-{} {}", inputs_, outputs_, activation_name(activation_));
}

void Dense::plan(MemoryPlan& plan) {
    weight_ = plan.parameter({.shape = {outputs_, inputs_},
                              .fan_in = inputs_,
                              .fan_out = outputs_,
                              .role = role_,
                              .name = "weight"});
    bias_ = plan.parameter({.shape = {outputs_}, .name = "bias"});
}

void Dense::forward(Backend& backend, const LayerMemory& memory, Mode /*mode*/, ConstTensor x,
                    Tensor y) const {
    backend(
        DenseForward{.x = x, .w = memory[weight_], .b = memory[bias_], .activation = activation_, .y = y});
}

void Dense::backward(Backend& backend, const LayerMemory& memory, ConstTensor x, ConstTensor y, Tensor dy,
                     Tensor dx, GradMode grad) const {
    backend(DenseBackward{.x = x,
                          .w = memory[weight_],
                          .y = y,
                          .activation = activation_,
                          .dy = dy,
                          .dx = dx,
                          .dw = memory.grad(weight_),
                          .db = memory.grad(bias_),
                          .mode = grad});
}

Activation parse_activation(std::string_view name) {
    for (const auto& [known, activation] : activations)
        if (known == name) return activation;
    throw InputError("the activation is '{}', expected tanh, relu, sigmoid or identity", name);
}

std::string_view activation_name(Activation activation) {
    for (const auto& [name, known] : activations)
        if (known == activation) return name;
    throw InputError("an activation of kind {} is unknown", static_cast<int>(activation));
}

}  // namespace deepfreq
