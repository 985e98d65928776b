#include "engine/layers/residual_dense.h"

#include "common/error.h"
#include "engine/layers/dense.h"

namespace deepfreq {

ResidualDense::ResidualDense(std::int64_t width, Activation activation, int spanned)
    : width_(width), activation_(activation) {
    if (width < 1) throw InputError("a residual dense layer has width {}, expected at least 1", width);
    if (spanned < 1) throw InputError("a residual connection spans {} layers, expected at least 1", spanned);
    inner_.resize(static_cast<std::size_t>(spanned));
}

std::string ResidualDense::description() const {
    const std::string inner = fmt::format("-{}", width_);
    std::string widths = fmt::format("{}", width_);
    for (std::size_t i = 0; i < inner_.size(); ++i) widths += inner;
    return fmt::format("residual dense {} {}", widths, activation_name(activation_));
}

void ResidualDense::plan(MemoryPlan& plan) {
    for (std::size_t i = 0; i < inner_.size(); ++i) {
        inner_[i].weight = plan.parameter({.shape = {width_, width_},
                                           .fan_in = width_,
                                           .fan_out = width_,
                                           .name = fmt::format("dense{}.weight", i + 1)});
        inner_[i].bias = plan.parameter({.shape = {width_}, .name = fmt::format("dense{}.bias", i + 1)});
        inner_[i].y = plan.saved(PerRow{{width_}});
        inner_[i].dy = plan.scratch(PerRow{{width_}});
    }
}

void ResidualDense::forward(Backend& backend, const LayerMemory& memory, Mode /*mode*/, ConstTensor x,
                            Tensor y) const {
    ConstTensor from = x;
    for (const Inner& inner : inner_) {
        backend(DenseForward{.x = from,
                             .w = memory[inner.weight],
                             .b = memory[inner.bias],
                             .activation = activation_,
                             .y = memory[inner.y]});
        from = memory[inner.y];
    }
    backend.copy(x, y);
    backend(Add{.x = from, .y = y});
}

void ResidualDense::backward(Backend& backend, const LayerMemory& memory, ConstTensor x, ConstTensor /*y*/,
                             Tensor dy, Tensor dx, GradMode grad) const {
    // dy goes both ways, and a dense layer overwrites its own copy.
    backend.copy(dy, memory[inner_.back().dy]);
    for (std::size_t i = inner_.size(); i-- > 0;) {
        const Inner& inner = inner_[i];
        backend(DenseBackward{.x = i == 0 ? x : ConstTensor(memory[inner_[i - 1].y]),
                              .w = memory[inner.weight],
                              .y = memory[inner.y],
                              .activation = activation_,
                              .dy = memory[inner.dy],
                              .dx = i == 0 ? dx : memory[inner_[i - 1].dy],
                              .dw = memory.grad(inner.weight),
                              .db = memory.grad(inner.bias),
                              .mode = grad});
    }
    if (dx) backend(Add{.x = dy, .y = dx});
}

}  // namespace deepfreq
