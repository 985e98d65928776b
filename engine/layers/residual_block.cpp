#include "engine/layers/residual_block.h"

#include "common/error.h"
#include "engine/layers/dense.h"

namespace deepfreq {
ResidualBlock::ResidualBlock(const ImageShape& input, const ResidualBlockParams& params)
    : params_(params),
      first_(input, {params.channels, 3, params.stride}, params.batch_norm),
      second_(first_.output_shape(), {params.channels, 3, 1}, params.batch_norm) {
    if (params.residual && (params.stride != 1 || params.channels != input.channels))
        projection_.emplace(input, ConvolutionSize{params.channels, 1, params.stride}, params.batch_norm);
}

std::string ResidualBlock::description() const {
    return fmt::format("{} block {}-{} stride {} {}{}", params_.residual ? "residual" : "plain",
                       first_.input_shape().channels, output_shape().channels, params_.stride,
                       activation_name(params_.activation), adds_after_activation() ? " before the sum" : "");
}

void ResidualBlock::plan(MemoryPlan& plan) {
    first_.plan(plan, "conv1.", 2);
    second_.plan(plan, "conv2.", 3);
    if (projection_) projection_->plan(plan, "projection.", 4);
    const PerRow outputs = output_shape().per_row();
    a_ = plan.saved(outputs);
    dz_ = plan.scratch(outputs);
    da_ = plan.scratch(outputs);
    if (projection_) {
        projected_ = plan.saved(outputs);
        dx_of_projection_ = plan.scratch(first_.input_shape().per_row());
    }
    if (adds_after_activation()) {
        branch_ = plan.saved(outputs);
        dy_of_branch_ = plan.scratch(outputs);
    }
}

void ResidualBlock::forward(Backend& backend, const LayerMemory& memory, Mode mode, ConstTensor x,
                            Tensor y) const {
    const Tensor a = memory[a_];
    first_.forward(backend, memory, mode, x, {}, params_.activation, a);
    ConstTensor shortcut;
    if (projection_) {
        projection_->forward(backend, memory, mode, x, {}, shortcut_activation(), memory[projected_]);
        shortcut = memory[projected_];
    } else if (params_.residual) {
        shortcut = x;
    }
    if (adds_after_activation()) {
        second_.forward(backend, memory, mode, a, {}, params_.activation, memory[branch_]);
        backend.copy(memory[branch_], y);
        backend(Add{.x = shortcut.reshape(y.shape), .y = y});
    } else {
        second_.forward(backend, memory, mode, a, shortcut, params_.activation, y);
    }
}

void ResidualBlock::backward(Backend& backend, const LayerMemory& memory, ConstTensor x, ConstTensor y,
                             Tensor dy, Tensor dx, GradMode grad) const {
    const ConstTensor a = memory[a_];
    const Tensor dz = memory[dz_];
    const Tensor da = memory[da_];
    if (adds_after_activation()) {
        // The second convolution overwrites its dy; the shortcut gets dy as it is.
        const Tensor dy_of_branch = memory[dy_of_branch_];
        backend.copy(dy, dy_of_branch);
        second_.backward(backend, memory, a, memory[branch_], params_.activation, dy_of_branch, dz, da, grad);
    } else {
        // dy becomes the gradient with respect to the sum, which both of its terms get.
        second_.backward(backend, memory, a, y, params_.activation, dy, dz, da, grad);
    }
    first_.backward(backend, memory, x, a, params_.activation, da, dz, dx, grad);
    if (projection_) {
        const Tensor through_projection = dx ? memory[dx_of_projection_] : Tensor{};
        projection_->backward(backend, memory, x, memory[projected_], shortcut_activation(), dy, dz,
                              through_projection, grad);
        if (dx) backend(Add{.x = through_projection.reshape(dx.shape), .y = dx});
    } else if (params_.residual && dx) {
        backend(Add{.x = dy.reshape(dx.shape), .y = dx});
    }
}

}  // namespace deepfreq
