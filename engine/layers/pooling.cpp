#include "engine/layers/pooling.h"

#include "common/error.h"

namespace deepfreq {

AveragePooling::AveragePooling(const ImageShape& input, std::int64_t rows, std::int64_t columns)
    : input_(input), output_{rows, columns, input.channels} {
    if (rows < 1 || columns < 1 || input.height % rows != 0 || input.width % columns != 0)
        throw InputError("an image of {}x{} is to be averaged to {}x{}, expected a grid that divides it",
                         input.height, input.width, rows, columns);
}

std::string AveragePooling::description() const {
    return fmt::format("average {}x{} to {}x{}", input_.height, input_.width, output_.height, output_.width);
}

PoolParams AveragePooling::window() const {
    return {.height = input_.height / output_.height, .width = input_.width / output_.width};
}

void AveragePooling::forward(Backend& backend, const LayerMemory& /*memory*/, Mode /*mode*/, ConstTensor x,
                             Tensor y) const {
    backend(AveragePoolForward{
        .x = x.reshape(input_.batch(x.rows())), .params = window(), .y = y.reshape(output_.batch(x.rows()))});
}

void AveragePooling::backward(Backend& backend, const LayerMemory& /*memory*/, ConstTensor x,
                              ConstTensor /*y*/, Tensor dy, Tensor dx, GradMode /*grad*/) const {
    if (!dx) return;
    backend(AveragePoolBackward{.dy = dy.reshape(output_.batch(x.rows())),
                                .params = window(),
                                .dx = dx.reshape(input_.batch(x.rows()))});
}

}  // namespace deepfreq
