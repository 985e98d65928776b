#include "engine/loss.h"

#include "common/error.h"

namespace deepfreq {

Loss parse_loss(std::string_view name) {
    if (name == "mse") return Loss::MeanSquaredError;
    if (name == "softmax-ce") return Loss::SoftmaxCrossEntropy;
    throw InputError("the loss is '{}', expected mse or softmax-ce", name);
}

std::string_view loss_name(Loss loss) {
    return loss == Loss::MeanSquaredError ? "mse" : "softmax-ce";
}

void apply_loss(Backend& backend, Loss loss, ConstTensor p, ConstTensor targets, Tensor dp,
                TensorView<double> sums, TensorView<const StepState> state) {
    switch (loss) {
        case Loss::MeanSquaredError:
            backend(MeanSquaredError{.p = p, .t = targets, .dp = dp, .sums = sums, .state = state});
            break;
        case Loss::SoftmaxCrossEntropy:
            backend(SoftmaxCrossEntropy{.z = p, .t = targets, .dz = dp, .sums = sums, .state = state});
            break;
    }
}

}  // namespace deepfreq
