#include "oracle/experiment_convolution.h"

#include <cmath>

#include "oracle/reference_convolution.h"

namespace deepfreq::oracle {
namespace {

using reference::Estimate;
using reference::Values;

struct ConvolutionInputs {
    reference::ConvolutionShape shape;
    Floats x, w, dy;

    explicit ConvolutionInputs(const Case& c)
        : shape(c.shape, {c.filters.out, c.filters.height, c.filters.width, c.shape[3]}, c.filters.params) {
        const std::int64_t terms = shape.w.elements() / shape.w[0];
        x = normals(c.seed, 0, shape.x.elements(), c.scale);
        w = normals(c.seed, 1, shape.w.elements(), 1.0 / std::sqrt(static_cast<double>(terms)));
        dy = normals(c.seed, 2, shape.y.elements());
    }
};

struct BatchNormInputs {
    std::int64_t channels;
    Floats x, residual, scale, shift, mean, variance, dy;

    explicit BatchNormInputs(const Case& c) : channels(c.shape[3]) {
        const std::int64_t size = c.shape.elements();
        x = normals(c.seed, 0, size, c.scale);
        for (float& value : x) value += static_cast<float>(c.position);
        residual = normals(c.seed, 1, size);
        scale = normals(c.seed, 2, channels);
        shift = normals(c.seed, 3, channels);
        mean = normals(c.seed, 4, channels, c.scale);
        variance = normals(c.seed, 5, channels, c.scale);
        for (float& value : variance) value = value * value + 0.01F * c.scale * c.scale;
        dy = normals(c.seed, 6, size);
    }
};

Floats rounded(const Values& values) {
    Floats out;
    out.reserve(values.size());
    for (const double value : values) out.push_back(static_cast<float>(value));
    return out;
}

PoolParams windows(const Case& c) {
    return {c.filters.height, c.filters.width};
}

Shape pooled(const Case& c) {
    return {c.shape[0], c.shape[1] / c.filters.height, c.shape[2] / c.filters.width, c.shape[3]};
}

/// Rounded to few distinct values, so that many windows have two largest elements.
Floats with_ties(const Case& c) {
    Floats x = normals(c.seed, 0, c.shape.elements());
    for (float& value : x) value = std::round(2.0F * value) * c.scale;
    return x;
}

}  // namespace

Experiment conv2d_forward(const Case& c) {
    const ConvolutionInputs in(c);
    return {[=](Backend& backend, Stage& stage) {
                const ConstTensor x = stage.input(in.shape.x, in.x);
                const ConstTensor w = stage.input(in.shape.w, in.w);
                backend(Conv2dForward{
                    .x = x, .w = w, .params = in.shape.params, .y = stage.overwritten("y", in.shape.y)});
            },
            {{"y", reference::conv2d_forward(widened(in.x), widened(in.w), in.shape, c.precision)}}};
}

/// Both modes in one call each; the first without dx.
Experiment conv2d_backward(const Case& c) {
    const ConvolutionInputs in(c);
    const Floats before = normals(c.seed, 3, in.shape.w.elements());
    const auto g =
        reference::conv2d_backward(widened(in.x), widened(in.w), widened(in.dy), in.shape, c.precision);
    const auto call = [=](Backend& backend, Stage& stage) {
        const auto& [x_shape, w_shape, y_shape, params] = in.shape;
        const ConstTensor x = stage.input(x_shape, in.x);
        const ConstTensor w = stage.input(w_shape, in.w);
        const ConstTensor dy = stage.input(y_shape, in.dy);
        backend(Conv2dBackward{
            .x = x, .w = w, .dy = dy, .params = params, .dw = stage.overwritten("dw", w_shape)});
        const Tensor dx = stage.overwritten("dx", x_shape);
        const Tensor dw = stage.changed("dw added", w_shape, before);
        backend(Conv2dBackward{
            .x = x, .w = w, .dy = dy, .params = params, .dx = dx, .dw = dw, .mode = GradMode::Accumulate});
    };
    return {call, {{"dw", g.dw}, {"dx", g.dx}, {"dw added", reference::accumulated(g.dw, widened(before))}}};
}

/// Without and with a residual.
Experiment batch_norm_forward_training(const Case& c) {
    const BatchNormInputs in(c);
    const BatchNormParams params;
    const Values x = widened(in.x);
    const auto statistics = reference::batch_statistics(x, in.channels, params);
    const auto y = [&](const Values& residual) {
        return reference::normalized(x, statistics, widened(in.scale), widened(in.shift), residual,
                                     c.activation);
    };
    const auto call = [=](Backend& backend, Stage& stage) {
        const Shape channels{in.channels};
        const ConstTensor x_view = stage.input(c.shape, in.x);
        const ConstTensor scale = stage.input(channels, in.scale);
        const ConstTensor shift = stage.input(channels, in.shift);
        const ConstTensor residual = stage.input(c.shape, in.residual);
        for (const std::string with : {"", " with residual"}) {
            const Tensor running_mean = stage.changed("running mean" + with, channels, in.mean);
            const Tensor running_variance = stage.changed("running variance" + with, channels, in.variance);
            const Tensor mean = stage.overwritten("mean" + with, channels);
            const Tensor inverse = stage.overwritten("inverse deviation" + with, channels);
            backend(BatchNormForwardTraining{.x = x_view,
                                             .scale = scale,
                                             .shift = shift,
                                             .params = params,
                                             .running_mean = running_mean,
                                             .running_variance = running_variance,
                                             .saved_mean = mean,
                                             .saved_inv_std = inverse,
                                             .residual = with.empty() ? ConstTensor{} : residual,
                                             .activation = c.activation,
                                             .y = stage.overwritten("y" + with, c.shape)});
        }
    };
    Experiment experiment{call, {{"y", y({})}, {"y with residual", y(widened(in.residual))}}};
    const Estimate running_mean = reference::moved(widened(in.mean), statistics.mean, params);
    const Estimate running_variance =
        reference::moved(widened(in.variance), statistics.unbiased_variance, params);
    for (const std::string with : {"", " with residual"}) {
        experiment.expected.push_back({"mean" + with, statistics.mean});
        experiment.expected.push_back({"inverse deviation" + with, statistics.inv_std});
        experiment.expected.push_back({"running mean" + with, running_mean});
        experiment.expected.push_back({"running variance" + with, running_variance});
    }
    return experiment;
}

Experiment batch_norm_forward_inference(const Case& c) {
    const BatchNormInputs in(c);
    const BatchNormParams params{.epsilon = 1e-3};
    const auto statistics = reference::running_statistics(widened(in.mean), widened(in.variance), params);
    const auto y = [&](const Values& residual) {
        return reference::normalized(widened(in.x), statistics, widened(in.scale), widened(in.shift),
                                     residual, c.activation);
    };
    return {[=](Backend& backend, Stage& stage) {
                const Shape channels{in.channels};
                const ConstTensor x = stage.input(c.shape, in.x);
                const ConstTensor scale = stage.input(channels, in.scale);
                const ConstTensor shift = stage.input(channels, in.shift);
                const ConstTensor mean = stage.input(channels, in.mean);
                const ConstTensor variance = stage.input(channels, in.variance);
                const ConstTensor residual = stage.input(c.shape, in.residual);
                backend(BatchNormForwardInference{.x = x,
                                                  .scale = scale,
                                                  .shift = shift,
                                                  .params = params,
                                                  .running_mean = mean,
                                                  .running_variance = variance,
                                                  .activation = c.activation,
                                                  .y = stage.overwritten("y", c.shape)});
                backend(BatchNormForwardInference{.x = x,
                                                  .scale = scale,
                                                  .shift = shift,
                                                  .params = params,
                                                  .running_mean = mean,
                                                  .running_variance = variance,
                                                  .residual = residual,
                                                  .activation = c.activation,
                                                  .y = stage.overwritten("y with residual", c.shape)});
            },
            {{"y", y({})}, {"y with residual", y(widened(in.residual))}}};
}

/// Both modes in one call each.
Experiment batch_norm_backward(const Case& c) {
    const BatchNormInputs in(c);
    const auto statistics = reference::batch_statistics(widened(in.x), in.channels, {});
    const Floats mean = rounded(statistics.mean.value);
    const Floats inverse = rounded(statistics.inv_std.value);
    const Floats y = rounded(reference::normalized(widened(in.x), statistics, widened(in.scale),
                                                   widened(in.shift), widened(in.residual), c.activation)
                                 .value);
    const auto g =
        reference::batch_norm_backward(widened(in.x), reference::exactly(widened(y)), widened(in.scale),
                                       widened(mean), widened(inverse), c.activation, widened(in.dy));
    const auto call = [=](Backend& backend, Stage& stage) {
        const Shape channels{in.channels};
        const ConstTensor x = stage.input(c.shape, in.x);
        const ConstTensor y_view =
            c.activation == Activation::Identity ? ConstTensor{} : stage.input(c.shape, y);
        const ConstTensor scale = stage.input(channels, in.scale);
        const ConstTensor mean_view = stage.input(channels, mean);
        const ConstTensor inverse_view = stage.input(channels, inverse);
        const auto backward = [&](const std::string& name, Tensor dscale, Tensor dshift, GradMode mode) {
            const Tensor dz = stage.changed("dz" + name, c.shape, in.dy);
            const Tensor dx = stage.overwritten("dx" + name, c.shape);
            backend(BatchNormBackward{.x = x,
                                      .y = y_view,
                                      .scale = scale,
                                      .saved_mean = mean_view,
                                      .saved_inv_std = inverse_view,
                                      .activation = c.activation,
                                      .dy = dz,
                                      .dx = dx,
                                      .dscale = dscale,
                                      .dshift = dshift,
                                      .mode = mode});
        };
        backward("", stage.overwritten("dscale", channels), stage.overwritten("dshift", channels),
                 GradMode::Overwrite);
        backward(" again", stage.changed("dscale added", channels, in.shift),
                 stage.changed("dshift added", channels, in.scale), GradMode::Accumulate);
    };
    return {call,
            {{"dz", g.dz},
             {"dx", g.dx},
             {"dscale", g.dscale},
             {"dshift", g.dshift},
             {"dz again", g.dz},
             {"dx again", g.dx},
             {"dscale added", reference::accumulated(g.dscale, widened(in.shift))},
             {"dshift added", reference::accumulated(g.dshift, widened(in.scale))}}};
}

Experiment average_pool_forward(const Case& c) {
    const Floats x = normals(c.seed, 0, c.shape.elements(), c.scale);
    return {[=](Backend& backend, Stage& stage) {
                const ConstTensor from = stage.input(c.shape, x);
                backend(AveragePoolForward{
                    .x = from, .params = windows(c), .y = stage.overwritten("y", pooled(c))});
            },
            {{"y", reference::average_pool_forward(widened(x), c.shape, windows(c))}}};
}

Experiment average_pool_backward(const Case& c) {
    const Floats dy = normals(c.seed, 0, pooled(c).elements(), c.scale);
    return {[=](Backend& backend, Stage& stage) {
                const ConstTensor from = stage.input(pooled(c), dy);
                backend(AveragePoolBackward{
                    .dy = from, .params = windows(c), .dx = stage.overwritten("dx", c.shape)});
            },
            {{"dx", reference::average_pool_backward(widened(dy), c.shape, windows(c))}}};
}

Experiment max_pool_forward(const Case& c) {
    const Floats x = with_ties(c);
    return {
        [=](Backend& backend, Stage& stage) {
            const ConstTensor from = stage.input(c.shape, x);
            backend(MaxPoolForward{.x = from, .params = windows(c), .y = stage.overwritten("y", pooled(c))});
        },
        {{"y", reference::exactly(reference::max_pool_forward(widened(x), c.shape, windows(c)))}}};
}

Experiment max_pool_backward(const Case& c) {
    const Floats x = with_ties(c);
    const Floats y = rounded(reference::max_pool_forward(widened(x), c.shape, windows(c)));
    const Floats dy = normals(c.seed, 1, pooled(c).elements());
    return {[=](Backend& backend, Stage& stage) {
                const ConstTensor from = stage.input(c.shape, x);
                const ConstTensor largest = stage.input(pooled(c), y);
                const ConstTensor gradient = stage.input(pooled(c), dy);
                backend(MaxPoolBackward{.x = from,
                                        .y = largest,
                                        .dy = gradient,
                                        .params = windows(c),
                                        .dx = stage.overwritten("dx", c.shape)});
            },
            {{"dx", reference::exactly(
                        reference::max_pool_backward(widened(x), widened(dy), c.shape, windows(c)))}}};
}

Experiment add(const Case& c) {
    const Floats x = normals(c.seed, 0, c.shape.elements(), c.scale);
    const Floats y = normals(c.seed, 1, c.shape.elements());
    return {[=](Backend& backend, Stage& stage) {
                const ConstTensor added = stage.input(c.shape, x);
                backend(Add{.x = added, .y = stage.changed("y", c.shape, y)});
            },
            {{"y", reference::sum(widened(x), widened(y))}}};
}

}  // namespace deepfreq::oracle
