#include "engine/layers/residual_block.h"

#include "common/error.h"
#include "engine/layers/dense.h"

namespace deepfreq {
namespace {

// Where the parts lie in the layer's memory. After what the convolutions keep comes what lies between them.
constexpr NormalizedConvolution::Place first_place{0, 0, 0};
constexpr NormalizedConvolution::Place second_place{3, 2, 3};
constexpr NormalizedConvolution::Place projection_place{6, 4, 6};

template <class T>
void append(std::vector<T>& to, const std::vector<T>& more) {
    to.insert(to.end(), more.begin(), more.end());
}

}  // namespace

ResidualBlock::ResidualBlock(const ImageShape& input, std::int64_t channels, std::int64_t stride,
                             bool residual, Activation sigma)
    : stride_(stride),
      residual_(residual),
      sigma_(sigma),
      first_(input, {channels, 3, stride}, first_place),
      second_(first_.output_shape(), {channels, 3, 1}, second_place) {
    if (residual && (stride != 1 || channels != input.channels))
        projection_.emplace(input, ConvolutionSize{channels, 1, stride}, projection_place);
}

std::string ResidualBlock::description() const {
    return fmt::format("{} block {}-{} stride {} {}", residual_ ? "residual" : "plain",
                       first_.input_shape().channels, output_shape().channels, stride_,
                       activation_name(sigma_));
}

std::vector<ParameterSpec> ResidualBlock::parameters() const {
    std::vector<ParameterSpec> all = first_.parameters();
    append(all, second_.parameters());
    if (projection_) append(all, projection_->parameters());
    return all;
}

std::vector<ParameterSpec> ResidualBlock::state() const {
    std::vector<ParameterSpec> all = first_.state();
    append(all, second_.state());
    if (projection_) append(all, projection_->state());
    return all;
}

std::vector<Shape> ResidualBlock::kept(std::int64_t n) const {
    std::vector<Shape> all = first_.kept(n);
    append(all, second_.kept(n));
    if (projection_) append(all, projection_->kept(n));
    all.push_back(first_.output_shape().batch(n));                         // a
    if (projection_) all.push_back(projection_->output_shape().batch(n));  // the shortcut
    return all;
}

std::vector<Shape> ResidualBlock::scratch(std::int64_t n) const {
    std::vector<Shape> all = {output_shape().batch(n), output_shape().batch(n)};
    if (projection_) all.push_back(first_.input_shape().batch(n));
    return all;
}

void ResidualBlock::forward(Kernels& kernels, const LayerMemory& memory, Mode mode, ConstTensor x,
                            Tensor y) const {
    const std::size_t kept_here = projection_ ? 9 : 6;
    const Tensor a = memory.kept[kept_here];
    first_.forward(kernels, memory, mode, x, {}, sigma_, a);
    ConstTensor shortcut;
    if (projection_) {
        const Tensor projected = memory.kept[kept_here + 1];
        projection_->forward(kernels, memory, mode, x, {}, Activation::Identity, projected);
        shortcut = projected;
    } else if (residual_) {
        shortcut = x;
    }
    second_.forward(kernels, memory, mode, a, shortcut, sigma_, y);
}

void ResidualBlock::backward(Kernels& kernels, const LayerMemory& memory, ConstTensor x, ConstTensor y,
                             Tensor dy, Tensor dx, GradMode grad) const {
    const std::size_t kept_here = projection_ ? 9 : 6;
    const ConstTensor a = memory.kept[kept_here];
    const Tensor dz = memory.scratch[0];
    const Tensor da = memory.scratch[1];
    // dy becomes the gradient by the sum, which both ways get.
    second_.backward(kernels, memory, a, y, sigma_, dy, dz, da, grad);
    first_.backward(kernels, memory, x, a, sigma_, da, dz, dx, grad);
    if (projection_) {
        const Tensor through_shortcut = dx ? memory.scratch[2] : Tensor{};
        projection_->backward(kernels, memory, x, memory.kept[kept_here + 1], Activation::Identity, dy, dz,
                              through_shortcut, grad);
        if (dx) kernels.add(through_shortcut.reshape(dx.shape), dx);
    } else if (residual_ && dx) {
        kernels.add(dy.reshape(dx.shape), dx);
    }
}

}  // namespace deepfreq
