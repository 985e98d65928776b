// Finite differences of the operations on images.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "oracle/reference_convolution.h"
#include "tests/backends.h"
#include "tests/checks.h"
#include "tests/finite_differences.h"

namespace deepfreq::tests {

namespace {

using reference::Estimate;
using reference::Values;

double inner_product(const Values& a, const Values& b) {
    double sum = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
}

void check_backends(const Experiment& experiment, const std::string& name) {
    for (const TestedBackend& tested : backends_present()) {
        if (rounds_factors(tested)) continue;
        INFO(tested.name << ": " << name);
        check_close(outputs_of(experiment, *tested.backend), experiment);
    }
}

void check_convolution(const Shape& image, const Filters& filters, std::uint64_t seed) {
    const reference::ConvolutionShape shape(image, {filters.out, filters.height, filters.width, image[3]},
                                            filters.params);
    const Floats x = normals(seed, 0, shape.x.elements());
    const Floats w = normals(seed, 1, shape.w.elements());
    const Floats dy = normals(seed, 2, shape.y.elements());
    Values x64 = widened(x);
    Values w64 = widened(w);
    const Values dy64 = widened(dy);
    const auto g = reference::conv2d_backward(x64, w64, dy64, shape);
    const auto loss = [&] { return inner_product(dy64, reference::conv2d_forward(x64, w64, shape).value); };
    const Values dx = numerical_gradient(loss, x64);
    const Values dw = numerical_gradient(loss, w64);
    INFO(image.text() << " " << filters.text());
    check_gradient("dx", dx, g.dx);
    check_gradient("dw", dw, g.dw);

    const auto call = [&](Backend& backend, Stage& stage) {
        const ConstTensor x_view = stage.input(shape.x, x);
        const ConstTensor w_view = stage.input(shape.w, w);
        const ConstTensor dy_view = stage.input(shape.y, dy);
        backend(Conv2dBackward{.x = x_view,
                               .w = w_view,
                               .dy = dy_view,
                               .params = shape.params,
                               .dx = stage.overwritten("dx", shape.x),
                               .dw = stage.overwritten("dw", shape.w)});
    };
    check_backends({call, {{"dx", within_float32(dx, g.dx)}, {"dw", within_float32(dw, g.dw)}}},
                   image.text());
}

TEST_CASE("kernels: conv2d_backward agrees with finite differences") {
    std::uint64_t seed = 700;
    check_convolution({1, 1, 1, 1}, {1, 1, 1, {}}, ++seed);
    check_convolution({2, 5, 4, 3}, {4, 3, 3, {1, 1}}, ++seed);
    check_convolution({1, 5, 6, 2}, {3, 3, 3, {2, 1}}, ++seed);
    check_convolution({2, 4, 5, 3}, {5, 1, 1, {2, 0}}, ++seed);
    check_convolution({1, 1, 7, 2}, {2, 1, 3, {1, 0}}, ++seed);
}

struct BatchNormProblem {
    Shape shape;
    Activation activation;
    Floats x, scale, shift, residual, dy;
    Values x64, scale64, shift64, residual64, dy64;
    BatchNormParams params;

    BatchNormProblem(const Shape& image, Activation with, std::uint64_t seed)
        : shape(image), activation(with) {
        x = normals(seed, 0, shape.elements());
        scale = normals(seed, 1, shape[3]);
        shift = normals(seed, 2, shape[3]);
        residual = normals(seed, 3, shape.elements());
        dy = normals(seed, 4, shape.elements());
        x64 = widened(x);
        scale64 = widened(scale);
        shift64 = widened(shift);
        residual64 = widened(residual);
        dy64 = widened(dy);
    }
    reference::BatchNormStatistics statistics() const {
        return reference::batch_statistics(x64, shape[3], params);
    }
    reference::Estimate forward(Activation with) const {
        return reference::normalized(x64, statistics(), scale64, shift64, residual64, with);
    }
    double loss() const { return inner_product(dy64, forward(activation).value); }
    /// Central differences are wrong across the kink of ReLU.
    bool away_from_kink() const {
        const Values z = forward(Activation::Identity).value;
        return std::all_of(z.begin(), z.end(), [](double value) { return std::abs(value) > 1e-3; });
    }
};

void check_batch_norm(BatchNormProblem p) {
    INFO(p.shape.text() << " " << name_of(p.activation));
    if (p.activation == Activation::Relu) REQUIRE(p.away_from_kink());
    const auto statistics = p.statistics();
    const auto g =
        reference::batch_norm_backward(p.x64, p.forward(p.activation), p.scale64, statistics.mean.value,
                                       statistics.inv_std.value, p.activation, p.dy64);
    const auto loss = [&p] { return p.loss(); };
    const Values dx = numerical_gradient(loss, p.x64);
    const Values dscale = numerical_gradient(loss, p.scale64);
    const Values dshift = numerical_gradient(loss, p.shift64);
    const Values dresidual = numerical_gradient(loss, p.residual64);
    check_gradient("dx", dx, g.dx);
    check_gradient("dscale", dscale, g.dscale);
    check_gradient("dshift", dshift, g.dshift);
    check_gradient("dresidual", dresidual, g.dz);

    const auto call = [&](Backend& backend, Stage& stage) {
        const Shape channels{p.shape[3]};
        const ConstTensor x = stage.input(p.shape, p.x);
        const ConstTensor scale = stage.input(channels, p.scale);
        const ConstTensor shift = stage.input(channels, p.shift);
        const ConstTensor residual = stage.input(p.shape, p.residual);
        const Tensor running_mean = stage.changed("running mean", channels, p.shift);
        const Tensor running_variance = stage.changed("running variance", channels, p.shift);
        const Tensor mean = stage.overwritten("mean", channels);
        const Tensor inverse = stage.overwritten("inverse deviation", channels);
        const Tensor y = stage.overwritten("y", p.shape);
        backend(BatchNormForwardTraining{.x = x,
                                         .scale = scale,
                                         .shift = shift,
                                         .params = p.params,
                                         .running_mean = running_mean,
                                         .running_variance = running_variance,
                                         .saved_mean = mean,
                                         .saved_inv_std = inverse,
                                         .residual = residual,
                                         .activation = p.activation,
                                         .y = y});
        backend(BatchNormBackward{.x = x,
                                  .y = y,
                                  .scale = scale,
                                  .saved_mean = mean,
                                  .saved_inv_std = inverse,
                                  .activation = p.activation,
                                  .dy = stage.changed("dresidual", p.shape, p.dy),
                                  .dx = stage.overwritten("dx", p.shape),
                                  .dscale = stage.overwritten("dscale", channels),
                                  .dshift = stage.overwritten("dshift", channels)});
    };
    check_backends({call,
                    {{"dx", within_float32(dx, g.dx)},
                     {"dscale", within_float32(dscale, g.dscale)},
                     {"dshift", within_float32(dshift, g.dshift)},
                     {"dresidual", within_float32(dresidual, g.dz)}}},
                   p.shape.text());
}

TEST_CASE("kernels: batch_norm_backward agrees with finite differences") {
    std::uint64_t seed = 720;
    for (const Shape& shape : {Shape{1, 1, 1, 3}, {3, 2, 2, 1}, {2, 3, 5, 2}, {5, 1, 2, 17}})
        for (const Activation activation :
             {Activation::Identity, Activation::Relu, Activation::Tanh, Activation::Sigmoid})
            check_batch_norm(BatchNormProblem(shape, activation, ++seed));
}

void check_pools(const Shape& shape, const PoolParams& params, std::uint64_t seed) {
    const Shape small{shape[0], shape[1] / params.height, shape[2] / params.width, shape[3]};
    // Of a normal number's distances to others hardly one is below h of the differences: max pooling has
    // kinks.
    const Floats x = normals(seed, 0, shape.elements());
    const Floats dy = normals(seed, 1, small.elements());
    Values x64 = widened(x);
    const Values dy64 = widened(dy);
    const Values of_average = numerical_gradient(
        [&] { return inner_product(dy64, reference::average_pool_forward(x64, shape, params).value); }, x64);
    const Values of_max = numerical_gradient(
        [&] { return inner_product(dy64, reference::max_pool_forward(x64, shape, params)); }, x64);
    const Estimate average = reference::average_pool_backward(dy64, shape, params);
    const Estimate largest = reference::exactly(reference::max_pool_backward(x64, dy64, shape, params));
    INFO(shape.text());
    check_gradient("of average pooling", of_average, average);
    check_gradient("of max pooling", of_max, largest);

    const auto call = [&](Backend& backend, Stage& stage) {
        const ConstTensor x_view = stage.input(shape, x);
        const ConstTensor dy_view = stage.input(small, dy);
        const Tensor y = stage.overwritten("y", small);
        backend(
            AveragePoolBackward{.dy = dy_view, .params = params, .dx = stage.overwritten("average", shape)});
        backend(MaxPoolForward{.x = x_view, .params = params, .y = y});
        backend(MaxPoolBackward{
            .x = x_view, .y = y, .dy = dy_view, .params = params, .dx = stage.overwritten("max", shape)});
    };
    check_backends(
        {call, {{"average", within_float32(of_average, average)}, {"max", within_float32(of_max, largest)}}},
        shape.text());
}

TEST_CASE("kernels: the gradients of pools agree with finite differences") {
    check_pools({1, 1, 1, 1}, {1, 1}, 741);
    check_pools({2, 4, 6, 3}, {2, 3}, 742);
    check_pools({1, 5, 2, 17}, {5, 1}, 743);
    check_pools({3, 4, 4, 5}, {4, 4}, 744);
}

}  // namespace
}  // namespace deepfreq::tests
