// Finite differences: the gradients of the reference and of every backend against central differences of the
// reference's forward operations.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/backends.h"
#include "tests/checks.h"
#include "tests/finite_differences.h"

namespace deepfreq::tests {
namespace {

using reference::Estimate;
using reference::Values;

struct DenseProblem {
    reference::DenseShape shape;
    Activation activation;
    Floats x, w, b, dy;
    Values x64, w64, b64, dy64;

    DenseProblem(reference::DenseShape s, Activation a, std::uint64_t seed) : shape(s), activation(a) {
        x = normals(seed, 0, s.n * s.in);
        w = normals(seed, 1, s.out * s.in, 1.0 / std::sqrt(static_cast<double>(s.in)));
        b = normals(seed, 2, s.out, 0.1);
        dy = normals(seed, 3, s.n * s.out);
        x64 = widened(x);
        w64 = widened(w);
        b64 = widened(b);
        dy64 = widened(dy);
    }
    Values forward(Activation a) const { return reference::dense_forward(x64, w64, b64, a, shape).value; }

    /// The loss whose gradient with respect to y is dy.
    double loss() const {
        const Values y = forward(activation);
        double sum = 0.0;
        for (std::size_t i = 0; i < y.size(); ++i) sum += dy64[i] * y[i];
        return sum;
    }
    /// Central differences are wrong across the kink of ReLU.
    bool away_from_kink() const {
        const Values z = forward(Activation::Identity);
        return std::all_of(z.begin(), z.end(), [](double value) { return std::abs(value) > 1e-3; });
    }
};

void check_dense(DenseProblem p) {
    if (p.activation == Activation::Relu) REQUIRE(p.away_from_kink());
    const Values exact = p.forward(p.activation);
    const auto g = reference::dense_backward(p.x64, p.w64, exact, p.activation, p.dy64, p.shape);
    const auto loss = [&p] { return p.loss(); };
    const Values dx = numerical_gradient(loss, p.x64);
    const Values dw = numerical_gradient(loss, p.w64);
    const Values db = numerical_gradient(loss, p.b64);
    check_gradient("dx", dx, g.dx);
    check_gradient("dw", dw, g.dw);
    check_gradient("db", db, g.db);

    const auto call = [&](Backend& backend, Stage& stage) {
        const ConstTensor x = stage.input<float>({p.shape.n, p.shape.in}, p.x);
        const ConstTensor w = stage.input<float>({p.shape.out, p.shape.in}, p.w);
        const ConstTensor b = stage.input<float>({p.shape.out}, p.b);
        const Tensor y = stage.overwritten("y", {p.shape.n, p.shape.out});
        backend(DenseForward{.x = x, .w = w, .b = b, .activation = p.activation, .y = y});
        backend(DenseBackward{.x = x,
                              .w = w,
                              .y = y,
                              .activation = p.activation,
                              .dy = stage.changed("dz", y.shape, p.dy),
                              .dx = stage.overwritten("dx", x.shape),
                              .dw = stage.overwritten("dw", w.shape),
                              .db = stage.overwritten("db", b.shape)});
    };
    // The y that a backend differentiates at is rounded too, which moves activation' by some eps however
    // small it is: so errors are those of a layer whose slope is 1.
    const auto steep = reference::dense_backward(p.x64, p.w64, exact, Activation::Identity, p.dy64, p.shape);
    const Experiment experiment{call,
                                {{"dx", within_float32(dx, steep.dx)},
                                 {"dw", within_float32(dw, steep.dw)},
                                 {"db", within_float32(db, steep.db)}}};
    for (const TestedBackend& tested : backends_present()) {
        if (rounds_factors(tested)) continue;
        INFO(tested.name << ": n=" << p.shape.n << " in=" << p.shape.in << " out=" << p.shape.out << ", "
                         << name_of(p.activation));
        check_close(outputs_of(experiment, *tested.backend), experiment);
    }
}

TEST_CASE("kernels: dense_backward agrees with finite differences") {
    std::uint64_t seed = 4;
    for (const reference::DenseShape shape :
         {reference::DenseShape{1, 1, 1}, {5, 7, 3}, {3, 1, 4}, {17, 33, 9}})
        for (const Activation activation :
             {Activation::Identity, Activation::Tanh, Activation::Relu, Activation::Sigmoid})
            check_dense(DenseProblem(shape, activation, ++seed));
}

using LossReference = reference::Loss (*)(const Values&, const Values&, std::int64_t, std::int64_t);

/// Of MeanSquaredError or SoftmaxCrossEntropy.
template <class Loss>
void check_loss(LossReference of_reference, Shape shape, std::uint64_t seed) {
    const std::int64_t n = shape[0];
    const std::int64_t c = shape[1];
    const Floats p = normals(seed, 0, n * c);
    Floats t = targets(seed, n, c);
    // Soft targets whose sum is exactly 1 in double too: the gradient of cross-entropy takes that for
    // granted.
    for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < c; ++j) t[i * c + j] = std::round(t[i * c + j] * 64.0F) / 64.0F;
    for (std::int64_t i = 0; i < n; ++i) {
        float sum = 0.0F;
        for (std::int64_t j = 1; j < c; ++j) sum += t[i * c + j];
        t[i * c] = 1.0F - sum;
    }
    Values p64 = widened(p);
    const Values t64 = widened(t);
    const auto mean = [&] { return of_reference(p64, t64, n, c).sum.value[0] / static_cast<double>(n); };
    const Values numerical = numerical_gradient(mean, p64);
    const Estimate gradient = of_reference(p64, t64, n, c).gradient;
    check_gradient("gradient", numerical, gradient);

    const auto call = [&](Backend& backend, Stage& stage) {
        const auto state = stage.input<StepState>({1}, {StepState{}});
        const ConstTensor prediction = stage.input(shape, p);
        const ConstTensor target = stage.input(shape, t);
        backend(Loss{prediction, target, stage.overwritten("gradient", shape),
                     stage.changed<double>("sums", {1}, {0.0}), state});
    };
    const Experiment experiment{call, {{"gradient", within_float32(numerical, gradient)}}};
    for (const TestedBackend& tested : backends_present()) {
        INFO(tested.name << ": " << shape.text());
        check_close(outputs_of(experiment, *tested.backend), experiment);
    }
}

TEST_CASE("kernels: the gradients of the losses agree with finite differences") {
    std::uint64_t seed = 40;
    for (const Shape& shape : {Shape{1, 1}, {1, 10}, {7, 1}, {17, 10}, {5, 33}}) {
        check_loss<MeanSquaredError>(reference::mean_squared_error, shape, ++seed);
        check_loss<SoftmaxCrossEntropy>(reference::softmax_cross_entropy, shape, ++seed);
    }
}

}  // namespace
}  // namespace deepfreq::tests
