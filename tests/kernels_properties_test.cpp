// What the table cannot say: exactness, NaN and infinity, ties, many updates, sums in double.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "tests/backends.h"
#include "tests/checks.h"

namespace deepfreq::tests {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr Activation activations[] = {Activation::Identity, Activation::Tanh, Activation::Relu,
                                      Activation::Sigmoid};

TEST_CASE("kernels: allocate_zeros is all zero, zero clears, nothing may be allocated") {
    for_each_backend([](Backend& backend) {
        Buffer buffer = backend.allocate_zeros({3, 5});
        Floats host(15, 1.0F);
        backend.download(buffer.view<const float>({15}), std::span<float>(host));
        CHECK(host == Floats(15, 0.0F));
        backend.upload(std::span<const float>(Floats(15, 2.0F)), buffer.view<float>({15}));
        backend.zero(buffer.view<float>({4}, sizeof(float)));
        backend.download(buffer.view<const float>({15}), std::span<float>(host));
        CHECK(host == Floats{2, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2});
        CHECK(backend.allocate(0).bytes() == 0);
        backend.synchronize();
        CHECK_FALSE(backend.description().empty());
    });
}

/// y of a dense layer of one input and one output with w = 1, b = 0: activation(x).
double activated(Backend& backend, Activation activation, float x) {
    return values_of(backend, [=](Backend& k, Stage& stage) {
        const ConstTensor input = stage.input<float>({1, 1}, {x});
        const ConstTensor w = stage.input<float>({1, 1}, {1.0F});
        const ConstTensor b = stage.input<float>({1}, {0.0F});
        k(DenseForward{
            .x = input, .w = w, .b = b, .activation = activation, .y = stage.overwritten("y", {1, 1})});
    })["y"][0];
}

TEST_CASE("kernels: dense_forward saturates and lets infinities through") {
    for_each_backend([](Backend& backend) {
        for (const float x : {1e3F, 1e30F, infinity}) {
            CAPTURE(x);
            const auto both = [&](Activation activation) {
                return std::pair{activated(backend, activation, x), activated(backend, activation, -x)};
            };
            CHECK(both(Activation::Identity) == std::pair<double, double>{x, -x});
            CHECK(both(Activation::Tanh) == std::pair{1.0, -1.0});
            CHECK(both(Activation::Relu) == std::pair<double, double>{x, 0.0});
            CHECK(both(Activation::Sigmoid) == std::pair{1.0, 0.0});
        }
    });
}

TEST_CASE("kernels: the activations are exact to float32 everywhere") {
    for_each_backend([](Backend& backend) {
        for (int power = -96; power < 8; ++power)
            for (const double sign : {-1.0, 1.0})
                for (const Activation activation : activations) {
                    const auto x = static_cast<float>(sign * 1.37 * std::exp2(power));
                    const double expected = reference::activate(activation, x);
                    INFO(name_of(activation) << " of " << x);
                    // 4 units in the last place, or flushed to 0; nothing is summed here.
                    check_close("y", {activated(backend, activation, x)},
                                {{expected}, {4.0 * 0x1p-23 * std::abs(expected) + 0x1p-126}});
                }
    });
}

/// A forward pass of 5 rows, 7 inputs, 19 outputs with one NaN in x, w or b.
std::vector<double> forward_with_nan(Backend& backend, Activation activation, int place) {
    return values_of(backend, [=](Backend& k, Stage& stage) {
        Floats x = normals(1, 0, 5 * 7);
        Floats w = normals(1, 1, 19 * 7);
        Floats b = normals(1, 2, 19);
        if (place == 0) x[2 * 7 + 3] = nan;
        if (place == 1) w[4 * 7 + 6] = nan;
        if (place == 2) b[18] = nan;
        const ConstTensor input = stage.input({5, 7}, x);
        const ConstTensor weights = stage.input({19, 7}, w);
        const ConstTensor bias = stage.input({19}, b);
        k(DenseForward{.x = input,
                       .w = weights,
                       .b = bias,
                       .activation = activation,
                       .y = stage.overwritten("y", {5, 19})});
    })["y"];
}

TEST_CASE("kernels: NaN goes through dense_forward, to where it belongs and nowhere else") {
    in_all_precisions([](Backend& backend) {
        for (const Activation activation : activations)
            for (int place = 0; place < 3; ++place) {
                INFO(name_of(activation) << ", NaN in " << (place == 0 ? "x" : place == 1 ? "w" : "b"));
                const auto y = forward_with_nan(backend, activation, place);
                bool as_expected = true;
                for (int i = 0; i < 5; ++i)
                    for (int j = 0; j < 19; ++j) {
                        const bool touched = place == 0 ? i == 2 : place == 1 ? j == 4 : j == 18;
                        as_expected = as_expected && std::isnan(y[i * 19 + j]) == touched;
                    }
                CHECK(as_expected);
            }
    });
}

TEST_CASE("kernels: a NaN gradient goes through dense_backward, also where ReLU is off") {
    in_all_precisions([](Backend& backend) {
        for (const Activation activation : activations) {
            INFO(name_of(activation));
            auto values = values_of(backend, [=](Backend& k, Stage& stage) {
                const ConstTensor x = stage.input<float>({2, 1}, {1.0F, 2.0F});
                const ConstTensor w = stage.input<float>({1, 1}, {0.5F});
                const ConstTensor y = stage.input<float>({2, 1}, {0.0F, 0.5F});
                k(DenseBackward{.x = x,
                                .w = w,
                                .y = y,
                                .activation = activation,
                                .dy = stage.changed<float>("dz", {2, 1}, {nan, nan}),
                                .dw = stage.overwritten("dw", {1, 1}),
                                .db = stage.overwritten("db", {1})});
            });
            CHECK(std::isnan(values["dz"][0]));
            CHECK(std::isnan(values["dz"][1]));
            CHECK(std::isnan(values["dw"][0]));
            CHECK(std::isnan(values["db"][0]));
        }
    });
}

/// Of MeanSquaredError or SoftmaxCrossEntropy.
template <class Loss>
void check_nan_shows(Backend& backend) {
    for (const bool in_target : {false, true})
        for (const std::int64_t place : {0, 5, 11}) {
            CAPTURE(in_target);
            CAPTURE(place);
            Floats p = normals(1, 0, 12);
            Floats t = targets(1, 3, 4);
            (in_target ? t : p)[place] = nan;
            auto values = values_of(backend, [&](Backend& k, Stage& stage) {
                const ConstTensor prediction = stage.input({3, 4}, p);
                const ConstTensor target = stage.input({3, 4}, t);
                const auto state = stage.input<StepState>({1}, {StepState{}});
                k(Loss{prediction, target, stage.overwritten("gradient", {3, 4}),
                       stage.changed<double>("sums", {1}, {0.0}), state});
            });
            CHECK(std::isnan(values["gradient"][place]));
            CHECK(std::isnan(values["sums"][0]));
        }
}

TEST_CASE("kernels: NaN in a prediction or a target makes the loss NaN") {
    for_each_backend([](Backend& backend) {
        check_nan_shows<MeanSquaredError>(backend);
        check_nan_shows<SoftmaxCrossEntropy>(backend);
    });
}

TEST_CASE("kernels: db is summed in double") {
    constexpr std::int64_t n = 1000;
    Floats dy(n, 0.125F);  // in float32, 2^24 + 0.125 is 2^24
    dy.front() = 0x1p24F;
    dy.back() = -0x1p24F;
    for_each_backend([&](Backend& backend) {
        auto values = values_of(backend, [&](Backend& k, Stage& stage) {
            const ConstTensor x = stage.input({n, 1}, Floats(n, 0.0F));
            const ConstTensor w = stage.input<float>({1, 1}, {1.0F});
            const ConstTensor y = stage.input({n, 1}, dy);
            k(DenseBackward{.x = x,
                            .w = w,
                            .y = y,
                            .activation = Activation::Identity,
                            .dy = stage.changed("dz", {n, 1}, dy),
                            .dw = stage.overwritten("dw", {1, 1}),
                            .db = stage.overwritten("db", {1})});
        });
        CHECK(values["db"][0] == 0.125 * (n - 2));
    });
}

TEST_CASE("kernels: losses are summed over samples in double") {
    constexpr std::int64_t n = 1001;
    Floats p(n, 0.5F);
    p[0] = 0x1p13F;  // its square, 2^26, would swallow every 0.25 in float32
    for_each_backend([&](Backend& backend) {
        auto values = values_of(backend, [&](Backend& k, Stage& stage) {
            const ConstTensor prediction = stage.input({n, 1}, p);
            const ConstTensor target = stage.input({n, 1}, Floats(n, 0.0F));
            const auto state = stage.input<StepState>({1}, {StepState{.step = 1}});
            k(MeanSquaredError{.p = prediction,
                               .t = target,
                               .sums = stage.changed<double>("sums", {3}, {7.0, 0x1p40, 7.0}),
                               .state = state});
        });
        CHECK(values["sums"] == std::vector<double>{7.0, 0x1p40 + 0x1p26 + 0.25 * (n - 1), 7.0});
    });
}

TEST_CASE("kernels: sum_of_squares is in double, and 0 of nothing") {
    for_each_backend([](Backend& backend) {
        auto values = values_of(backend, [&](Backend& k, Stage& stage) {
            stage.returned("sum", {k(SumOfSquares{.x = stage.input<float>({3}, {1e30F, 1.0F, -1e30F})})});
        });
        CHECK(values["sum"][0] == 2.0 * static_cast<double>(1e30F) * static_cast<double>(1e30F));
        CHECK(backend(SumOfSquares{}) == 0.0);
        CHECK_FALSE(backend(FirstNonFinite{}).has_value());
    });
}

TEST_CASE("kernels: count_correct takes the first of equal elements") {
    const Floats p = {1, 3, 3, 0, 3, 3, 3, 3, -5, -7, -5, -6};
    const auto count = [&](Backend& backend, const std::vector<std::int32_t>& labels) {
        return values_of(backend, [&](Backend& k, Stage& stage) {
            const ConstTensor prediction = stage.input({3, 4}, p);
            const auto label = stage.input({3}, labels);
            k(CountCorrect{.p = prediction,
                           .labels = label,
                           .correct = stage.changed<std::int64_t>("correct", {1}, {0})});
        })["correct"][0];
    };
    for_each_backend([&](Backend& backend) {
        CHECK(count(backend, {1, 0, 0}) == 3);
        CHECK(count(backend, {2, 1, 2}) == 0);
    });
}

TEST_CASE("kernels: ten Adam updates follow the reference") {
    constexpr std::int64_t size = 33;
    const Floats w = normals(3, 0, size, 0.1);
    const AdamParams params;
    Experiment ten;
    reference::AdamResult r{{widened(w), {}}, {reference::Values(size), {}}, {reference::Values(size), {}}};
    std::vector<double> error(size, 0.0);
    for (std::uint32_t update = 0; update < 10; ++update) {
        const StepState state{.update = update, .learning_rate = 0.01F};
        r = reference::adam(r.w.value, widened(normals(3, 10 + update, size)), r.m.value, r.v.value, params,
                            state);
        // Each update adds its own rounding, and feels a tenth of those m had before.
        for (std::size_t i = 0; i < size; ++i) error[i] += 2.0 * r.w.error[i];
    }
    ten.call = [&](Backend& backend, Stage& stage) {
        const auto state = stage.changed<StepState>("state", {1}, {StepState{.learning_rate = 0.01F}});
        const Tensor weights = stage.changed("w", {size}, w);
        const Tensor m = stage.changed("m", {size}, Floats(size, 0.0F));
        const Tensor v = stage.changed("v", {size}, Floats(size, 0.0F));
        for (std::uint32_t update = 0; update < 10; ++update) {
            backend(Adam{.w = weights,
                         .dw = stage.input({size}, normals(3, 10 + update, size)),
                         .m = m,
                         .v = v,
                         .params = params,
                         .state = state});
            backend(Advance{.state = state, .samples = 1});
        }
    };
    ten.expected = {{"w", {r.w.value, error}}};
    for_each_backend([&](Backend& backend) { check_close(outputs_of(ten, backend), ten); });
}

}  // namespace
}  // namespace deepfreq::tests
