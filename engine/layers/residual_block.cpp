#include "engine/layers/residual_block.h"

#include "common/error.h"
#include "engine/layers/dense.h"

namespace deepfreq {
namespace {

// Where the parts lie in the layer's memory. After what the convolutions keep comes what lies between them.
constexpr NormalizedConvolution::Place first_place{0, 0, 0, 2};
constexpr NormalizedConvolution::Place second_place{3, 2, 3, 3};
constexpr NormalizedConvolution::Place projection_place{6, 4, 6, 4};

template <class T>
void append(std::vector<T>& to, const std::vector<T>& more) {
    to.insert(to.end(), more.begin(), more.end());
}

/// Those of a part of the block.
std::vector<ParameterSpec> named(std::string_view part, std::vector<ParameterSpec> specs) {
    for (ParameterSpec& spec : specs) spec.name = fmt::format("{}.{}", part, spec.name);
    return specs;
}

}  // namespace

ResidualBlock::ResidualBlock(const ImageShape& input, const ResidualBlockParams& params)
    : params_(params),
      first_(input, {params.channels, 3, params.stride}, first_place, params.batch_norm),
      second_(first_.output_shape(), {params.channels, 3, 1}, second_place, params.batch_norm) {
    if (params.residual && (params.stride != 1 || params.channels != input.channels))
        projection_.emplace(input, ConvolutionSize{params.channels, 1, params.stride}, projection_place,
                            params.batch_norm);
}

std::string ResidualBlock::description() const {
    return fmt::format("{} block {}-{} stride {} {}{}", params_.residual ? "residual" : "plain",
                       first_.input_shape().channels, output_shape().channels, params_.stride,
                       activation_name(params_.sigma), adds_after_activation() ? " before the sum" : "");
}

std::vector<ParameterSpec> ResidualBlock::parameters() const {
    std::vector<ParameterSpec> all = named("conv1", first_.parameters());
    append(all, named("conv2", second_.parameters()));
    if (projection_) append(all, named("projection", projection_->parameters()));
    return all;
}

std::vector<ParameterSpec> ResidualBlock::state() const {
    std::vector<ParameterSpec> all = named("conv1", first_.state());
    append(all, named("conv2", second_.state()));
    if (projection_) append(all, named("projection", projection_->state()));
    return all;
}

std::vector<Shape> ResidualBlock::kept(std::int64_t n) const {
    std::vector<Shape> all = first_.kept(n);
    append(all, second_.kept(n));
    if (projection_) append(all, projection_->kept(n));
    all.push_back(first_.output_shape().batch(n));                         // a
    if (projection_) all.push_back(projection_->output_shape().batch(n));  // the shortcut
    if (adds_after_activation()) all.push_back(output_shape().batch(n));   // what it is added to
    return all;
}

std::vector<Shape> ResidualBlock::scratch(std::int64_t n) const {
    std::vector<Shape> all = {output_shape().batch(n), output_shape().batch(n)};
    if (projection_) all.push_back(first_.input_shape().batch(n));
    if (adds_after_activation()) all.push_back(output_shape().batch(n));
    return all;
}

void ResidualBlock::forward(Kernels& kernels, const LayerMemory& memory, Mode mode, ConstTensor x,
                            Tensor y) const {
    const std::size_t kept_here = projection_ ? 9 : 6;
    const Tensor a = memory.kept[kept_here];
    first_.forward(kernels, memory, mode, x, {}, params_.sigma, a);
    ConstTensor shortcut;
    if (projection_) {
        const Tensor projected = memory.kept[kept_here + 1];
        projection_->forward(kernels, memory, mode, x, {}, shortcut_activation(), projected);
        shortcut = projected;
    } else if (params_.residual) {
        shortcut = x;
    }
    if (adds_after_activation()) {
        const Tensor branch = memory.kept.back();
        second_.forward(kernels, memory, mode, a, {}, params_.sigma, branch);
        kernels.copy(branch, y);
        kernels.add(shortcut.reshape(y.shape), y);
    } else {
        second_.forward(kernels, memory, mode, a, shortcut, params_.sigma, y);
    }
}

void ResidualBlock::backward(Kernels& kernels, const LayerMemory& memory, ConstTensor x, ConstTensor y,
                             Tensor dy, Tensor dx, GradMode grad) const {
    const std::size_t kept_here = projection_ ? 9 : 6;
    const ConstTensor a = memory.kept[kept_here];
    const Tensor dz = memory.scratch[0];
    const Tensor da = memory.scratch[1];
    if (adds_after_activation()) {
        // The second convolution turns its dy into that of its sum; the shortcut gets dy as it is.
        const Tensor branch_dy = memory.scratch.back();
        kernels.copy(dy, branch_dy);
        second_.backward(kernels, memory, a, memory.kept.back(), params_.sigma, branch_dy, dz, da, grad);
    } else {
        // dy becomes the gradient by the sum, which both ways get.
        second_.backward(kernels, memory, a, y, params_.sigma, dy, dz, da, grad);
    }
    first_.backward(kernels, memory, x, a, params_.sigma, da, dz, dx, grad);
    if (projection_) {
        const Tensor through_shortcut = dx ? memory.scratch[2] : Tensor{};
        projection_->backward(kernels, memory, x, memory.kept[kept_here + 1], shortcut_activation(), dy, dz,
                              through_shortcut, grad);
        if (dx) kernels.add(through_shortcut.reshape(dx.shape), dx);
    } else if (params_.residual && dx) {
        kernels.add(dy.reshape(dx.shape), dx);
    }
}

}  // namespace deepfreq
