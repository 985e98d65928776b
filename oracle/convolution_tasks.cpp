#include "oracle/convolution_tasks.h"

#include <fmt/format.h>

#include "engine/network.h"
#include "oracle/cases.h"
#include "oracle/dry_run.h"
#include "oracle/reference_convolution.h"

namespace deepfreq::oracle {
namespace {

using cuda::ConvolutionKind;
using cuda::ConvolutionTask;

void train(DryRun& device, const Resnet18Params& params, std::int64_t batch) {
    const Shape images{batch, params.height, params.width, params.channels};
    const Buffer x = device.allocate_zeros(images);
    const ConstTensor rows = x.view<float>({batch, images.elements() / batch});
    Network network(device, resnet18_variant(params), batch);
    network.forward(rows);
    network.forward_training(rows);
    for (const GradMode mode : {GradMode::Overwrite, GradMode::Accumulate}) network.backward(rows, mode);
}

/// Both modes of a case of the table.
void convolve(DryRun& device, const Case& c) {
    const reference::ConvolutionShape shape(
        c.shape, {c.filters.out, c.filters.height, c.filters.width, c.shape[3]}, c.filters.params);
    const auto tensor = [&](const Shape& extents) {
        return device.allocate(static_cast<std::size_t>(extents.elements()) * sizeof(float))
            .view<float>(extents);
    };
    const Tensor x = tensor(shape.x);
    const Tensor w = tensor(shape.w);
    const Tensor y = tensor(shape.y);
    device(Conv2dForward{.x = x, .w = w, .params = c.filters.params, .y = y});
    for (const GradMode mode : {GradMode::Overwrite, GradMode::Accumulate})
        device(Conv2dBackward{
            .x = x, .w = w, .dy = y, .params = c.filters.params, .dx = x, .dw = w, .mode = mode});
}

std::string name_of(const ConvolutionTask& task) {
    switch (task.kind) {
        case ConvolutionKind::Forward:
            return "y";
        case ConvolutionKind::BackwardData:
            return "dx";
        default:
            return task.add ? "dw added" : "dw";
    }
}

}  // namespace

StepNeeds step_needs(const Resnet18Params& params, std::int64_t batch) {
    DryRun device;
    train(device, params, batch);
    return {{device.convolutions().begin(), device.convolutions().end()}, device.bytes()};
}

std::vector<ConvolutionTask> required_convolutions() {
    DryRun device;
    for (int variant = 1; variant <= 4; ++variant)
        for (const std::int64_t batch : {256, 64, 16}) train(device, {.variant = variant}, batch);
    train(device, {.height = 28, .width = 28, .channels = 1}, 256);
    train(device, {.height = 64, .width = 64}, 128);
    for (const Case& c : cases())
        if (c.operation == Operation::Conv2dForward) convolve(device, c);
    return {device.convolutions().begin(), device.convolutions().end()};
}

std::string text_of(const ConvolutionTask& task) {
    return fmt::format("{} of {}, {} filters of {}x{}, stride {}, padding {}", name_of(task),
                       fmt::join(task.x, "x"), task.w[0], task.w[1], task.w[2], task.stride, task.padding);
}

}  // namespace deepfreq::oracle
