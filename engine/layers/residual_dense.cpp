#include "engine/layers/residual_dense.h"

#include "common/error.h"
#include "engine/layers/dense.h"

namespace deepfreq {

ResidualDense::ResidualDense(std::int64_t width, Activation sigma) : width_(width), sigma_(sigma) {
    if (width < 1) throw InputError("a residual dense layer has width {}, expected at least 1", width);
}

std::string ResidualDense::description() const {
    return fmt::format("residual dense {}-{} {}", width_, width_, activation_name(sigma_));
}

std::vector<ParameterSpec> ResidualDense::parameters() const {
    return {{{width_, width_}, width_, width_}, {{width_}}};
}

void ResidualDense::forward(Kernels& kernels, const LayerMemory& memory, Mode /*mode*/, ConstTensor x,
                            Tensor y) const {
    kernels.dense_forward(x, memory.w[0], memory.w[1], sigma_, memory.kept[0]);
    kernels.copy(x, y);
    kernels.add(memory.kept[0], y);
}

void ResidualDense::backward(Kernels& kernels, const LayerMemory& memory, ConstTensor x, ConstTensor /*y*/,
                             Tensor dy, Tensor dx, GradMode grad) const {
    // dy goes both ways; the dense layer's would be overwritten.
    const Tensor through_dense = memory.scratch[0];
    kernels.copy(dy, through_dense);
    kernels.dense_backward(x, memory.w[0], memory.kept[0], sigma_, through_dense, dx, memory.dw[0],
                           memory.dw[1], grad);
    if (dx) kernels.add(dy, dx);
}

}  // namespace deepfreq
