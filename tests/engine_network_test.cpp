#include "engine/network.h"

#include <doctest/doctest.h>

#include <set>

#include "analysis/activations.h"
#include "engine/layers/dense.h"
#include "models/resnet18_variants.h"
#include "tests/backends.h"
#include "tests/engine_fixtures.h"

using namespace deepfreq;
using namespace deepfreq::tests;

namespace {

constexpr Activation every_activation[] = {Activation::Identity, Activation::Tanh, Activation::Relu,
                                           Activation::Sigmoid};
constexpr Loss every_loss[] = {Loss::MeanSquaredError, Loss::SoftmaxCrossEntropy};
constexpr std::int64_t rows = 9;

MlpParams three_hidden(Activation activation) {
    return {5, {7, 6, 4}, 3, activation};
}

/// A dense layer between two with residual connections, and another between these and the input.
MlpParams three_residual(Activation activation) {
    return {5, {5, 6, 6}, 3, activation, true};
}

std::vector<MlpParams> with_every_activation() {
    std::vector<MlpParams> all;
    for (const Activation activation : every_activation) {
        all.push_back(three_hidden(activation));
        all.push_back(three_residual(activation));
    }
    return all;
}

/// A network with random weights and biases, and as many input rows as its batch holds.
struct Subject {
    Subject(Backend& backend_, Activation activation) : Subject(backend_, three_hidden(activation)) {}
    Subject(Backend& backend_, const MlpParams& params_)
        : backend(backend_),
          params(params_),
          network(backend, mlp(params), rows),
          host_x(normal_values(rows * params.inputs, 10)),
          x(on_device(backend, {rows, params.inputs}, host_x)) {
        host_w.resize(static_cast<std::size_t>(network.parameters().elements()));
        std::uint32_t stream = 20;
        for (const ParameterPlace& place : parameter_places(mlp(params))) {
            const auto values = normal_values(static_cast<std::int64_t>(place.count), stream++);
            for (std::size_t i = 0; i < place.count; ++i) host_w[place.offset + i] = 0.5F * values[i];
        }
        backend.upload(std::span<const float>(host_w), network.parameters());
    }

    /// Forward, loss and backward on x; the gradients after it.
    std::vector<float> gradients(Loss loss, ConstTensor input, ConstTensor targets, GradMode mode) {
        const Buffer sums = backend.allocate(sizeof(double)), state = backend.allocate(sizeof(StepState));
        backend.zero(sums.view<double>({1}));
        backend.zero(state.view<StepState>({1}));
        const ConstTensor p = network.forward_training(input);
        apply_loss(backend, loss, p, targets, network.output_gradient(input.rows()), sums.view<double>({1}),
                   state.view<StepState>({1}));
        network.backward(input, mode);
        return on_host(backend, network.gradients());
    }

    Backend& backend;
    MlpParams params;
    Network network;
    std::vector<float> host_x, host_w;
    DeviceTensor x;
};

std::vector<float> class_targets(std::int64_t n, std::int32_t classes) {
    std::vector<std::int32_t> labels;
    for (std::int64_t i = 0; i < n; ++i) labels.push_back(static_cast<std::int32_t>(i % classes));
    return one_hot(labels, classes);
}

reference::Values finite_differences(const MlpParams& params, Loss loss, reference::Values w,
                                     const reference::Values& x, const reference::Values& t) {
    const auto value = [&] {
        return mean_loss(loss, mlp_activations(params, w, x).back(), t, params.outputs);
    };
    constexpr double step = 1e-5;
    reference::Values gradient(w.size(), 0.0);
    for (const ParameterPlace& place : parameter_places(mlp(params)))
        for (std::size_t i = place.offset; i < place.offset + place.count; ++i) {
            const double before = w[i];
            w[i] = before + step;
            const double above = value();
            w[i] = before - step;
            gradient[i] = (above - value()) / (2.0 * step);
            w[i] = before;
        }
    return gradient;
}

}  // namespace

TEST_CASE("engine/network: layers carry the paper's indices (eq. 10)") {
    for (const TestedBackend& tested : backends_present()) {
        const Network network(*tested.backend, mlp(three_hidden(Activation::Tanh)), 2);
        CHECK(network.depth() == 4);
        CHECK(network.layer_index(0) == 0);
        CHECK(network.layer_index(4) == 4);
        CHECK(network.layer_index(-1) == 4);  // the output
        CHECK(network.layer_index(-2) == 3);  // the last hidden layer
        CHECK(network.layer_index(-3) == 2);  // its input
        CHECK(network.layer_index(-4) == 1);
        CHECK(network.width(0) == 5);
        CHECK(network.width(1) == 7);
        CHECK(network.width(-1) == 3);
        CHECK(network.width(-2) == 4);
        CHECK_THROWS_WITH_AS(network.layer_index(5), "layer 5 asked for, expected one of -4 to 4",
                             InputError);
        CHECK_THROWS_AS(network.layer_index(-5), InputError);
        CHECK_THROWS_AS(network.width(5), InputError);
        CHECK(network.description() ==
              "dense 5-7 tanh | dense 7-6 tanh | dense 6-4 tanh | dense 4-3 identity");
    }
}

TEST_CASE("engine/network: layers that do not fit are refused, and so are empty networks") {
    for (const TestedBackend& tested : backends_present()) {
        std::vector<std::unique_ptr<Layer>> layers;
        layers.push_back(std::make_unique<Dense>(5, 7, Activation::Tanh));
        layers.push_back(std::make_unique<Dense>(6, 3, Activation::Identity));
        CHECK_THROWS_WITH_AS(
            Network(*tested.backend, std::move(layers), 4),
            "layer 2 (dense 6-3 identity) follows layer 1 (dense 5-7 tanh), expected as many "
            "inputs as outputs",
            InputError);
        CHECK_THROWS_AS(Network(*tested.backend, {}, 4), InputError);
        CHECK_THROWS_AS(Network(*tested.backend, mlp(three_hidden(Activation::Tanh)), 0), InputError);
    }
}

TEST_CASE("engine/network: with Initializer::alike, weights of one role and shape begin alike") {
    const auto backend = open_backend("cpu").backend;
    const Initializer initializer{Initializer::Kind::GlorotUniform, 0.0, true};
    const auto weights = [&](std::vector<std::unique_ptr<Layer>> layers) {
        const auto places = parameter_places(layers);
        Network network(*backend, std::move(layers), 1);
        network.initialize(initializer, 5);
        const std::vector<float> all = on_host(*backend, network.parameters());
        std::vector<std::vector<float>> of_tensor;
        for (const ParameterPlace& place : places) {
            const auto first = all.begin() + static_cast<std::ptrdiff_t>(place.offset);
            of_tensor.emplace_back(first, first + static_cast<std::ptrdiff_t>(place.count));
        }
        return of_tensor;
    };
    const auto variant = [](int which) {
        return resnet18_variant(
            {.parts = {4, 8}, .variant = which, .pooling = HeadPooling::By4x4, .head = {6, 6}});
    };
    // Stem, two blocks of two convolutions, a block with its projection, another, three dense layers: each
    // convolution has three tensors, each dense layer two.
    const auto deep = weights(variant(1)), shallow = weights(variant(2));
    REQUIRE(deep.size() == 3 * (1 + 2 + 2 + 3 + 2) + 6);
    CHECK(deep[3] == deep[9]);  // the first convolution of both blocks of part one
    CHECK(deep[3] != deep[6]);  // the second convolution of the same shape
    CHECK(deep[6] == deep[12]);
    CHECK(deep[0] == shallow[0]);
    CHECK(deep[3] == shallow[3]);
    CHECK(deep[deep.size() - 2] == shallow[shallow.size() - 2]);  // the output layer
    CHECK(deep[deep.size() - 4] == shallow[shallow.size() - 4]);
    CHECK(deep[deep.size() - 6].size() != shallow[shallow.size() - 6].size());
    // Of fully connected networks: each hidden layer, counted from the input, and the output layer.
    const auto mlp_weights = [&](std::vector<std::int64_t> hidden) {
        return weights(mlp({.inputs = 3, .hidden = std::move(hidden), .outputs = 2}));
    };
    const auto two = mlp_weights({4, 4}), four = mlp_weights({4, 4, 4, 4});
    for (const std::size_t tensor : {std::size_t{0}, std::size_t{2}}) CHECK(two[tensor] == four[tensor]);
    CHECK(two[4] == four[8]);
    CHECK(four[2] != four[4]);
    const auto pair = weights(
        mlp({.inputs = 3, .hidden = {4, 4, 4}, .outputs = 2, .residual_every = 1, .residual_span = 2}));
    CHECK(pair[2] != pair[4]);  // both layers of one residual connection
}

TEST_CASE("engine/network: initial weights depend on the seed alone, biases are 0") {
    for (const TestedBackend& tested : backends_present()) {
        Backend& backend = *tested.backend;
        const MlpParams params = three_hidden(Activation::Tanh), wider{5, {7, 6, 9}, 3, Activation::Tanh};
        Network a(backend, mlp(params), 2), b(backend, mlp(params), 8), c(backend, mlp(wider), 2);
        const Initializer initializer{Initializer::Kind::Normal, 1.0};  // no fan tells the layers apart
        a.initialize(initializer, 1);
        b.initialize(initializer, 2);
        CHECK(on_host(backend, a.parameters()) != on_host(backend, b.parameters()));
        b.initialize(initializer, 1);
        const std::vector<float> w = on_host(backend, a.parameters());
        CHECK(w == on_host(backend, b.parameters()));
        c.initialize(initializer, 1);
        const std::vector<float> w_wider = on_host(backend, c.parameters());

        const auto places = parameter_places(mlp(params));
        const auto first_of = [&](std::size_t tensor) {
            return w.begin() + static_cast<std::ptrdiff_t>(places[tensor].offset);
        };
        for (std::size_t tensor = 0; tensor < places.size(); ++tensor) {
            const auto zeros = std::count(
                first_of(tensor), first_of(tensor) + static_cast<std::ptrdiff_t>(places[tensor].count), 0.0F);
            CHECK(zeros == (tensor % 2 == 0 ? 0 : static_cast<std::ptrdiff_t>(places[tensor].count)));
        }
        CHECK(std::equal(first_of(0), first_of(4), w_wider.begin()));  // widening layer 3 leaves 1 and 2
        CHECK(std::set<float>(w.begin(), w.end()).size() > 5 * 7 + 7 * 6 + 6 * 4 + 4 * 3);  // and the 0
    }
}

TEST_CASE("engine/network: forward is the network in double, for every layer and activation") {
    for (const TestedBackend& tested : backends_present())
        for (const MlpParams& params : with_every_activation()) {
            CAPTURE(tested.name);
            CAPTURE(activation_name(params.activation));
            CAPTURE(params.residual_every);
            Subject s(*tested.backend, params);
            const auto f = mlp_activations(s.params, in_double(s.host_w), in_double(s.host_x));
            for (int l = 0; l <= 4; ++l) {
                CAPTURE(l);
                const ConstTensor y = s.network.forward(s.x.view, l);
                CHECK(y.shape == Shape{rows, s.network.width(l)});
                CHECK(relative_difference(on_host(s.backend, y), f[static_cast<std::size_t>(l)]) < 1e-6);
            }
            const ConstTensor part = s.network.forward(s.x.view.slice(0, 2));
            CHECK(part.shape == Shape{2, 3});
            const reference::Values expected(f.back().begin(), f.back().begin() + 6);
            CHECK(relative_difference(on_host(s.backend, part), expected) < 1e-6);
        }
}

TEST_CASE("engine/network: a tapped layer writes into the caller's tensor what it writes into the arena") {
    for (const TestedBackend& tested : backends_present()) {
        Subject s(*tested.backend, Activation::Tanh);
        for (int l = -4; l <= 4; ++l) {
            CAPTURE(l);
            const std::vector<float> expected = on_host(s.backend, s.network.forward(s.x.view, l));
            const DeviceTensor into =
                on_device(s.backend, {rows, s.network.width(l)}, std::vector<float>(expected.size(), NAN));
            CHECK(s.network.forward(s.x.view, l, into.view).data == into.view.data);
            CHECK(on_host(s.backend, into.view) == expected);
        }
    }
}

TEST_CASE("analysis/activations: a set larger than the batch is collected whole, in order") {
    for (const TestedBackend& tested : backends_present()) {
        Subject s(*tested.backend, Activation::Sigmoid);
        const std::int64_t n = 2 * rows + 4;
        const std::vector<float> host_x = normal_values(n * 5, 11);
        const DeviceTensor x = on_device(s.backend, {n, 5}, host_x);
        const auto f = mlp_activations(s.params, in_double(s.host_w), in_double(host_x));
        for (const int l : {0, 1, -2, -1}) {
            CAPTURE(l);
            const std::int64_t width = s.network.width(l);
            const DeviceTensor found = on_device(
                s.backend, {n, width}, std::vector<float>(static_cast<std::size_t>(n * width), NAN));
            collect_activations(s.network, x.view, l, found.view);
            const auto index = static_cast<std::size_t>(s.network.layer_index(l));
            CHECK(relative_difference(on_host(s.backend, found.view), f[index]) < 1e-6);

            // The same from the features of each layer before, bit for bit.
            const std::vector<float> expected = on_host(s.backend, found.view);
            for (int from = 0; from <= s.network.layer_index(l); ++from) {
                const std::int64_t before = s.network.width(from);
                const DeviceTensor features = on_device(
                    s.backend, {n, before}, std::vector<float>(static_cast<std::size_t>(n * before)));
                collect_activations(s.network, x.view, from, features.view);
                collect_activations(s.network, features.view, l, found.view, {}, from);
                CHECK(on_host(s.backend, found.view) == expected);
            }
        }
    }
}

TEST_CASE("engine/network: inputs and taps of the wrong size are refused") {
    for (const TestedBackend& tested : backends_present()) {
        Subject s(*tested.backend, Activation::Tanh);
        const DeviceTensor many = on_device(s.backend, {rows + 1, 5}, normal_values((rows + 1) * 5, 12));
        CHECK_THROWS_WITH_AS(s.network.forward(many.view),
                             "forward of 10 rows, expected at most the batch of 9", InputError);
        CHECK_THROWS_AS(s.network.forward(many.view.reshape({5, 10})), InputError);
        CHECK_THROWS_AS(s.network.forward(s.x.view, -2, many.view), InputError);
        CHECK_THROWS_AS(s.network.forward(s.x.view, 0, many.view), InputError);
        CHECK_THROWS_AS(s.network.forward(s.x.view, 5), InputError);
        CHECK_THROWS_WITH_AS(s.network.forward(s.x.view, 1, {}, 2),
                             "forward from layer 2 to layer 1, expected a later one", InputError);
    }
}

TEST_CASE("engine/network: backward is the finite difference of the loss in double") {
    for (const TestedBackend& tested : backends_present())
        for (const MlpParams& params : with_every_activation())
            for (const Loss loss : every_loss) {
                CAPTURE(tested.name);
                CAPTURE(activation_name(params.activation));
                CAPTURE(params.residual_every);
                CAPTURE(loss_name(loss));
                Subject s(*tested.backend, params);
                const std::vector<float> host_t = class_targets(rows, 3);
                const DeviceTensor t = on_device(s.backend, {rows, 3}, host_t);
                const auto found = s.gradients(loss, s.x.view, t.view, GradMode::Overwrite);
                const auto expected = finite_differences(s.params, loss, in_double(s.host_w),
                                                         in_double(s.host_x), in_double(host_t));
                for (const ParameterPlace& place : parameter_places(mlp(s.params))) {
                    CAPTURE(place.offset);
                    const auto part = [&place](const auto& values) {
                        return std::span(values).subspan(place.offset, place.count);
                    };
                    CHECK(relative_difference(part(found), part(expected)) < 5e-6);
                }
            }
}

TEST_CASE("engine/network: GradMode tells whether gradients replace or join those before") {
    for (const TestedBackend& tested : backends_present())
        for (const MlpParams& params : {three_hidden(Activation::Tanh), three_residual(Activation::Tanh)}) {
            Subject s(*tested.backend, params);
            const DeviceTensor t = on_device(s.backend, {rows, 3}, class_targets(rows, 3));
            const Tensor x1 = s.x.view.slice(0, 5), t1 = t.view.slice(0, 5);
            const Tensor x2 = s.x.view.slice(5, 4), t2 = t.view.slice(5, 4);
            const Loss loss = Loss::SoftmaxCrossEntropy;
            const auto first = s.gradients(loss, x1, t1, GradMode::Overwrite);
            const auto second = s.gradients(loss, x2, t2, GradMode::Overwrite);
            CHECK(s.gradients(loss, x1, t1, GradMode::Overwrite) == first);
            const auto both = s.gradients(loss, x2, t2, GradMode::Accumulate);
            std::vector<double> sum(first.size());
            for (std::size_t i = 0; i < sum.size(); ++i) sum[i] = static_cast<double>(first[i]) + second[i];
            CHECK(relative_difference(both, sum) < 1e-6);
        }
}
