#include "engine/layers/convolution.h"

#include "common/error.h"
#include "engine/layers/dense.h"

namespace deepfreq {
namespace {

ImageShape convolved(const ImageShape& input, const ConvolutionSize& size) {
    if (input.height < 1 || input.width < 1 || input.channels < 1 || size.channels < 1 || size.stride < 1 ||
        size.kernel < 1 || size.kernel % 2 == 0)
        throw InputError(
            "a convolution of {}x{}x{} to {} channels, kernel {}, stride {}: expected sizes of at "
            "least 1 and an odd kernel",
            input.height, input.width, input.channels, size.channels, size.kernel, size.stride);
    const auto extent = [&](std::int64_t of_input) { return (of_input - 1) / size.stride + 1; };
    return {extent(input.height), extent(input.width), size.channels};
}

}  // namespace

NormalizedConvolution::NormalizedConvolution(const ImageShape& input, const ConvolutionSize& size,
                                             Place place, const BatchNormParams& batch_norm)
    : input_(input), output_(convolved(input, size)), size_(size), place_(place), batch_norm_(batch_norm) {}

std::vector<ParameterSpec> NormalizedConvolution::parameters() const {
    const std::int64_t area = size_.kernel * size_.kernel;
    const Shape channels{output_.channels};
    return {{{output_.channels, size_.kernel, size_.kernel, input_.channels},
             area * input_.channels,
             area * output_.channels,
             0.0F,
             place_.role,
             "weight"},
            {.shape = channels, .value = 1.0F, .name = "scale"},
            {.shape = channels, .name = "shift"}};
}

std::vector<ParameterSpec> NormalizedConvolution::state() const {
    const Shape channels{output_.channels};
    return {{.shape = channels, .name = "running_mean"},
            {.shape = channels, .value = 1.0F, .name = "running_variance"}};
}

std::vector<Shape> NormalizedConvolution::kept(std::int64_t n) const {
    return {output_.batch(n), {output_.channels}, {output_.channels}};
}

void NormalizedConvolution::forward(Kernels& kernels, const LayerMemory& memory, Mode mode, ConstTensor x,
                                    ConstTensor residual, Activation sigma, Tensor y) const {
    const std::int64_t n = x.rows();
    const Tensor* const w = &memory.w[place_.parameters];
    const Tensor* const state = &memory.state[place_.state];
    const Tensor* const kept = &memory.kept[place_.kept];
    const Tensor& z = kept[0];
    const Tensor images = y.reshape(output_.batch(n));
    if (residual) residual = residual.reshape(output_.batch(n));
    kernels.conv2d_forward(x.reshape(input_.batch(n)), w[0], params(), z);
    if (mode == Mode::Training)
        kernels.batch_norm_forward_training(z, w[1], w[2], batch_norm_, state[0], state[1], kept[1], kept[2],
                                            residual, sigma, images);
    else
        kernels.batch_norm_forward_inference(z, w[1], w[2], batch_norm_, state[0], state[1], residual, sigma,
                                             images);
}

void NormalizedConvolution::backward(Kernels& kernels, const LayerMemory& memory, ConstTensor x,
                                     ConstTensor y, Activation sigma, Tensor dy, Tensor dz, Tensor dx,
                                     GradMode grad) const {
    const std::int64_t n = x.rows();
    const Tensor* const w = &memory.w[place_.parameters];
    const Tensor* const dw = &memory.dw[place_.parameters];
    const Tensor* const kept = &memory.kept[place_.kept];
    kernels.batch_norm_backward(kept[0], y.reshape(output_.batch(n)), w[1], kept[1], kept[2], sigma,
                                dy.reshape(output_.batch(n)), dz, dw[1], dw[2], grad);
    kernels.conv2d_backward(x.reshape(input_.batch(n)), w[0], dz, params(),
                            dx ? dx.reshape(input_.batch(n)) : dx, dw[0], grad);
}

Conv2dParams NormalizedConvolution::params() const {
    return {.stride = size_.stride, .padding = size_.kernel / 2};
}

ConvolutionUnit::ConvolutionUnit(const ImageShape& input, const ConvolutionSize& size, Activation sigma,
                                 const BatchNormParams& batch_norm)
    : size_(size), sigma_(sigma), convolution_(input, size, {}, batch_norm) {}

std::string ConvolutionUnit::description() const {
    return fmt::format("conv{}x{} {}-{} stride {} {}", size_.kernel, size_.kernel,
                       convolution_.input_shape().channels, size_.channels, size_.stride,
                       activation_name(sigma_));
}

void ConvolutionUnit::forward(Kernels& kernels, const LayerMemory& memory, Mode mode, ConstTensor x,
                              Tensor y) const {
    convolution_.forward(kernels, memory, mode, x, {}, sigma_, y);
}

void ConvolutionUnit::backward(Kernels& kernels, const LayerMemory& memory, ConstTensor x, ConstTensor y,
                               Tensor dy, Tensor dx, GradMode grad) const {
    convolution_.backward(kernels, memory, x, y, sigma_, dy, memory.scratch[0], dx, grad);
}

}  // namespace deepfreq
