#pragma once

#include <string_view>

#include "kernels/backend.h"

namespace deepfreq {

enum class Loss { MeanSquaredError, SoftmaxCrossEntropy };

/// "mse" or "softmax-ce", and back. Throws InputError for anything else.
Loss parse_loss(std::string_view name);
std::string_view loss_name(Loss loss);

/// Runs MeanSquaredError or SoftmaxCrossEntropy, depending on `loss`; dp may be absent.
void apply_loss(Backend& backend, Loss loss, ConstTensor p, ConstTensor targets, Tensor dp,
                TensorView<double> sums, TensorView<const StepState> state);

}  // namespace deepfreq
