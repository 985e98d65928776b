// A residual connection around several dense layers, against the same in double and by finite differences.
#include "engine/layers/residual_dense.h"

#include <doctest/doctest.h>

#include "engine/layers/dense.h"
#include "engine/network.h"
#include "tests/backends.h"
#include "tests/engine_fixtures.h"
#include "tests/finite_differences.h"

using namespace deepfreq;
using namespace deepfreq::tests;
using reference::Values;

namespace {

constexpr std::int64_t rows = 6, inputs = 5, width = 7, classes = 3;

std::vector<std::unique_ptr<Layer>> layers_of(int spanned) {
    std::vector<std::unique_ptr<Layer>> layers;
    layers.push_back(std::make_unique<Dense>(inputs, width, Activation::Tanh));
    layers.push_back(std::make_unique<ResidualDense>(width, Activation::Sigmoid, spanned));
    layers.push_back(std::make_unique<Dense>(width, classes, Activation::Identity));
    return layers;
}

/// The outputs in double.
Values forward(int spanned, const Values& w, const Values& x) {
    const auto places = parameter_places(layers_of(spanned));
    const auto tensor = [&](std::size_t i) {
        const auto first = w.begin() + static_cast<std::ptrdiff_t>(places[i].offset);
        return Values(first, first + static_cast<std::ptrdiff_t>(places[i].count));
    };
    std::size_t next = 0;
    const auto dense = [&](const Values& from, Activation activation, std::int64_t in, std::int64_t out) {
        next += 2;
        return reference::dense_forward(from, tensor(next - 2), tensor(next - 1), activation, {rows, in, out})
            .value;
    };
    const Values a = dense(x, Activation::Tanh, inputs, width);
    Values g = a;
    for (int i = 0; i < spanned; ++i) g = dense(g, Activation::Sigmoid, width, width);
    for (std::size_t i = 0; i < g.size(); ++i) g[i] += a[i];
    return dense(g, Activation::Identity, width, classes);
}

}  // namespace

TEST_CASE("engine/layers: a residual connection around several layers is the same in double, both ways") {
    for (const TestedBackend& tested : backends_present())
        for (const int spanned : {1, 2, 3}) {
            CAPTURE(tested.name);
            CAPTURE(spanned);
            Backend& backend = *tested.backend;
            Network network(backend, layers_of(spanned), rows);
            const std::vector<float> host_w = normal_values(network.parameters().elements(), 1);
            const std::vector<float> host_x = normal_values(rows * inputs, 2);
            const std::vector<float> host_t = one_hot(std::vector<std::int32_t>{0, 1, 2, 1, 0, 2}, classes);
            backend.upload(std::span<const float>(host_w), network.parameters());
            const DeviceTensor x = on_device(backend, {rows, inputs}, host_x);
            const DeviceTensor t = on_device(backend, {rows, classes}, host_t);
            const Buffer sums = backend.allocate(sizeof(double)), step = backend.allocate(sizeof(StepState));
            backend.zero(sums.view<double>({1}));
            backend.zero(step.view<StepState>({1}));
            const ConstTensor p = network.forward_training(x.view);
            Values w = in_double(host_w);
            CHECK(relative_difference(on_host(backend, p), forward(spanned, w, in_double(host_x))) < 1e-5);
            apply_loss(backend, Loss::SoftmaxCrossEntropy, p, t.view, network.output_gradient(rows),
                       sums.view<double>({1}), step.view<StepState>({1}));
            network.backward(x.view);
            const Values numerical = numerical_gradient(
                [&] {
                    return mean_loss(Loss::SoftmaxCrossEntropy, forward(spanned, w, in_double(host_x)),
                                     in_double(host_t), classes);
                },
                w);
            const std::vector<float> found = on_host(backend, network.gradients());
            for (const ParameterPlace& place : parameter_places(layers_of(spanned))) {
                const auto part = [&](const auto& of) {
                    return std::span(of).subspan(place.offset, place.count);
                };
                CHECK(relative_difference(part(found), part(numerical)) < 2e-5);
            }
        }
    CHECK(layers_of(2)[1]->description() == "residual dense 7-7-7 sigmoid");
    CHECK_THROWS_AS(ResidualDense(3, Activation::Tanh, 0), InputError);
}
