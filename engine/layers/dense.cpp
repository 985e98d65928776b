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

Dense::Dense(std::int64_t inputs, std::int64_t outputs, Activation sigma, std::uint32_t role)
    : inputs_(inputs), outputs_(outputs), sigma_(sigma), role_(role) {
    if (inputs < 1 || outputs < 1)
        throw InputError("a dense layer has sizes {}-{}, expected at least 1 each", inputs, outputs);
}

std::string Dense::description() const {
    return fmt::format("dense {}-{} {}", inputs_, outputs_, activation_name(sigma_));
}

std::vector<ParameterSpec> Dense::parameters() const {
    return {{{outputs_, inputs_}, inputs_, outputs_, 0.0F, role_, "weight"},
            {.shape = {outputs_}, .name = "bias"}};
}

void Dense::forward(Kernels& kernels, const LayerMemory& memory, Mode /*mode*/, ConstTensor x,
                    Tensor y) const {
    kernels.dense_forward(x, memory.w[0], memory.w[1], sigma_, y);
}

void Dense::backward(Kernels& kernels, const LayerMemory& memory, ConstTensor x, ConstTensor y, Tensor dy,
                     Tensor dx, GradMode grad) const {
    kernels.dense_backward(x, memory.w[0], y, sigma_, dy, dx, memory.dw[0], memory.dw[1], grad);
}

Activation parse_activation(std::string_view name) {
    for (const auto& [known, activation] : activations)
        if (known == name) return activation;
    throw InputError("the activation is '{}', expected tanh, relu, sigmoid or identity", name);
}

std::string_view activation_name(Activation sigma) {
    for (const auto& [name, activation] : activations)
        if (activation == sigma) return name;
    throw InputError("an activation of kind {} is unknown", static_cast<int>(sigma));
}

}  // namespace deepfreq
