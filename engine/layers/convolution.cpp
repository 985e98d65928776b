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
                                             const BatchNormParams& batch_norm)
    : input_(input), output_(convolved(input, size)), size_(size), batch_norm_(batch_norm) {}

void NormalizedConvolution::plan(MemoryPlan& plan, std::string_view prefix, std::uint32_t role) {
    const auto named = [&](std::string_view name) { return fmt::format("{}{}", prefix, name); };
    const std::int64_t area = size_.kernel * size_.kernel;
    const Shape channels{output_.channels};
    filters_ = plan.parameter({.shape = {output_.channels, size_.kernel, size_.kernel, input_.channels},
                               .fan_in = area * input_.channels,
                               .fan_out = area * output_.channels,
                               .role = role,
                               .name = named("weight")});
    scale_ = plan.parameter({.shape = channels, .value = 1.0F, .name = named("scale")});
    shift_ = plan.parameter({.shape = channels, .name = named("shift")});
    running_mean_ = plan.state({.shape = channels, .name = named("running_mean")});
    running_variance_ = plan.state({.shape = channels, .value = 1.0F, .name = named("running_variance")});
    z_ = plan.saved(output_.per_row());
    mean_ = plan.saved(channels);
    inv_std_ = plan.saved(channels);
}

void NormalizedConvolution::forward(Backend& backend, const LayerMemory& memory, Mode mode, ConstTensor x,
                                    ConstTensor residual, Activation activation, Tensor y) const {
    const std::int64_t n = x.rows();
    const Tensor z = memory[z_];
    const Tensor images = y.reshape(output_.batch(n));
    if (residual) residual = residual.reshape(output_.batch(n));
    backend(
        Conv2dForward{.x = x.reshape(input_.batch(n)), .w = memory[filters_], .params = params(), .y = z});
    if (mode == Mode::Training)
        backend(BatchNormForwardTraining{.x = z,
                                         .scale = memory[scale_],
                                         .shift = memory[shift_],
                                         .params = batch_norm_,
                                         .running_mean = memory[running_mean_],
                                         .running_variance = memory[running_variance_],
                                         .saved_mean = memory[mean_],
                                         .saved_inv_std = memory[inv_std_],
                                         .residual = residual,
                                         .activation = activation,
                                         .y = images});
    else
        backend(BatchNormForwardInference{.x = z,
                                          .scale = memory[scale_],
                                          .shift = memory[shift_],
                                          .params = batch_norm_,
                                          .running_mean = memory[running_mean_],
                                          .running_variance = memory[running_variance_],
                                          .residual = residual,
                                          .activation = activation,
                                          .y = images});
}

void NormalizedConvolution::backward(Backend& backend, const LayerMemory& memory, ConstTensor x,
                                     ConstTensor y, Activation activation, Tensor dy, Tensor dz, Tensor dx,
                                     GradMode grad) const {
    const std::int64_t n = x.rows();
    backend(BatchNormBackward{.x = memory[z_],
                              .y = y.reshape(output_.batch(n)),
                              .scale = memory[scale_],
                              .saved_mean = memory[mean_],
                              .saved_inv_std = memory[inv_std_],
                              .activation = activation,
                              .dy = dy.reshape(output_.batch(n)),
                              .dx = dz,
                              .dscale = memory.grad(scale_),
                              .dshift = memory.grad(shift_),
                              .mode = grad});
    backend(Conv2dBackward{.x = x.reshape(input_.batch(n)),
                           .w = memory[filters_],
                           .dy = dz,
                           .params = params(),
                           .dx = dx ? dx.reshape(input_.batch(n)) : dx,
                           .dw = memory.grad(filters_),
                           .mode = grad});
}

Conv2dParams NormalizedConvolution::params() const {
    return {.stride = size_.stride, .padding = size_.kernel / 2};
}

ConvolutionUnit::ConvolutionUnit(const ImageShape& input, const ConvolutionSize& size, Activation activation,
                                 const BatchNormParams& batch_norm)
    : size_(size), activation_(activation), convolution_(input, size, batch_norm) {}

std::string ConvolutionUnit::description() const {
    return fmt::format("conv{}x{} {}-{} stride {} {}", size_.kernel, size_.kernel,
                       convolution_.input_shape().channels, size_.channels, size_.stride,
                       activation_name(activation_));
}

void ConvolutionUnit::plan(MemoryPlan& plan) {
    convolution_.plan(plan, "", 1);
    dz_ = plan.scratch(output_shape().per_row());
}

void ConvolutionUnit::forward(Backend& backend, const LayerMemory& memory, Mode mode, ConstTensor x,
                              Tensor y) const {
    convolution_.forward(backend, memory, mode, x, {}, activation_, y);
}

void ConvolutionUnit::backward(Backend& backend, const LayerMemory& memory, ConstTensor x, ConstTensor y,
                               Tensor dy, Tensor dx, GradMode grad) const {
    convolution_.backward(backend, memory, x, y, activation_, dy, memory[dz_], dx, grad);
}

}  // namespace deepfreq
