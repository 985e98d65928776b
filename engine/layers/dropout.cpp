#include "engine/layers/dropout.h"

#include "common/error.h"

namespace deepfreq {

Dropout::Dropout(std::int64_t width, const DropoutParams& params) : width_(width), params_(params) {
    if (width < 1) throw InputError("a dropout layer of {} elements, expected at least 1", width);
    if (!(params.rate >= 0.0 && params.rate < 1.0))
        throw InputError("dropout is {}, expected at least 0 and less than 1", params.rate);
}

std::string Dropout::description() const {
    return fmt::format("dropout {:g}", params_.rate);
}

void Dropout::forward(Backend& backend, const LayerMemory& memory, Mode mode, ConstTensor x, Tensor y) const {
    if (mode == Mode::Training)
        backend(ApplyDropout{.x = x, .params = params_, .state = memory.step, .y = y});
    else
        backend.copy(x, y);
}

void Dropout::backward(Backend& backend, const LayerMemory& memory, ConstTensor /*x*/, ConstTensor /*y*/,
                       Tensor dy, Tensor dx, GradMode /*grad*/) const {
    if (dx) backend(ApplyDropout{.x = dy, .params = params_, .state = memory.step, .y = dx});
}

}  // namespace deepfreq
