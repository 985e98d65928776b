#include "engine/layers/residual_dense.h"

#include "common/error.h"
#include "engine/layers/dense.h"

namespace deepfreq {

ResidualDense::ResidualDense(std::int64_t width, Activation sigma, int spanned)
    : width_(width), sigma_(sigma), spanned_(static_cast<std::size_t>(spanned)) {
    if (width < 1) throw InputError("a residual dense layer has width {}, expected at least 1", width);
    if (spanned < 1) throw InputError("a residual connection spans {} layers, expected at least 1", spanned);
}

std::string ResidualDense::description() const {
    const std::string inner = fmt::format("-{}", width_);
    std::string widths = fmt::format("{}", width_);
    for (std::size_t i = 0; i < spanned_; ++i) widths += inner;
    return fmt::format("residual dense {} {}", widths, activation_name(sigma_));
}

std::vector<ParameterSpec> ResidualDense::parameters() const {
    std::vector<ParameterSpec> all;
    for (std::size_t i = 0; i < spanned_; ++i) {
        all.push_back({{width_, width_}, width_, width_, 0.0F, 0, fmt::format("dense{}.weight", i + 1)});
        all.push_back({.shape = {width_}, .name = fmt::format("dense{}.bias", i + 1)});
    }
    return all;
}

void ResidualDense::forward(Kernels& kernels, const LayerMemory& memory, Mode /*mode*/, ConstTensor x,
                            Tensor y) const {
    ConstTensor from = x;
    for (std::size_t i = 0; i < spanned_; ++i) {
        kernels.dense_forward(from, memory.w[2 * i], memory.w[2 * i + 1], sigma_, memory.kept[i]);
        from = memory.kept[i];
    }
    kernels.copy(x, y);
    kernels.add(from, y);
}

void ResidualDense::backward(Kernels& kernels, const LayerMemory& memory, ConstTensor x, ConstTensor /*y*/,
                             Tensor dy, Tensor dx, GradMode grad) const {
    // dy goes both ways; the dense layer's would be overwritten.
    kernels.copy(dy, memory.scratch.back());
    for (std::size_t i = spanned_; i-- > 0;) {
        const ConstTensor from = i == 0 ? x : ConstTensor(memory.kept[i - 1]);
        const Tensor by_from = i == 0 ? dx : memory.scratch[i - 1];
        kernels.dense_backward(from, memory.w[2 * i], memory.kept[i], sigma_, memory.scratch[i], by_from,
                               memory.dw[2 * i], memory.dw[2 * i + 1], grad);
    }
    if (dx) kernels.add(dy, dx);
}

}  // namespace deepfreq
