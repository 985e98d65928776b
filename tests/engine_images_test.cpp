// Networks on images: convolutions, residual blocks, pooling and a dense layer, against the same in double.
#include <doctest/doctest.h>

#include <functional>

#include "engine/layers/convolution.h"
#include "engine/layers/dense.h"
#include "engine/layers/dropout.h"
#include "engine/layers/pooling.h"
#include "engine/layers/residual_block.h"
#include "oracle/reference_convolution.h"
#include "tests/backends.h"
#include "tests/engine_fixtures.h"

using namespace deepfreq;
using namespace deepfreq::tests;
using reference::Values;

namespace {

using Layers = std::vector<std::unique_ptr<Layer>>;

constexpr std::int64_t rows = 5;
constexpr std::int32_t classes = 3;
constexpr ImageShape image{6, 4, 2};

/// A stem to three channels, if there is one; a block; an average over 3 × 1; a dense layer.
struct Architecture {
    const char* name;
    std::int64_t channels, stride;
    bool stem, residual;
    Activation activation = Activation::Relu;
    bool activate_before_sum = false;
    bool dropout = false;  ///< behind the block
};
constexpr Architecture architectures[] = {
    {"identity", 3, 1, true, true},
    {"identity of the input", 2, 1, false, true},
    {"projection with stride 2", 4, 2, true, true},
    {"projection to more channels", 5, 1, true, true},
    {"projection of the input", 4, 2, false, true},
    {"plain", 4, 2, true, false},
    {"tanh", 4, 2, true, true, Activation::Tanh},
    {"sigmoid, plain", 3, 1, true, false, Activation::Sigmoid},
    {"before the sum", 3, 1, true, true, Activation::Relu, true},
    {"before the sum, projection", 4, 2, true, true, Activation::Relu, true},
    {"before the sum, tanh", 3, 1, true, true, Activation::Tanh, true},
    {"before the sum, tanh, projection", 5, 2, true, true, Activation::Tanh, true},
    {"dropout", 3, 1, true, true, Activation::Relu, false, true},
    {"dropout, tanh", 4, 2, true, true, Activation::Tanh, true, true}};
constexpr DropoutParams dropout{.rate = 0.3, .seed = 9, .stream = 1};
constexpr StepState dropout_step{.update = 4};

Layers layers_of(const Architecture& what) {
    Layers layers;
    ImageShape shape = image;
    const auto add = [&](auto layer) {
        shape = layer->output_shape();
        layers.push_back(std::move(layer));
    };
    if (what.stem) add(std::make_unique<ConvolutionUnit>(shape, ConvolutionSize{3, 3, 1}, what.activation));
    add(std::make_unique<ResidualBlock>(
        shape, ResidualBlockParams{.channels = what.channels,
                                   .stride = what.stride,
                                   .residual = what.residual,
                                   .activation = what.activation,
                                   .activate_before_sum = what.activate_before_sum}));
    if (what.dropout) layers.push_back(std::make_unique<Dropout>(shape.elements(), dropout));
    add(std::make_unique<AveragePooling>(shape, 3, 1));
    layers.push_back(std::make_unique<Dense>(shape.elements(), classes, Activation::Identity));
    return layers;
}

struct Images {
    Shape shape;
    Values values;
};

/// The network in double, forwards.
struct DoubleNetwork {
    Architecture what;
    Values w, state;  ///< as they lie in Network

    /// Outputs for x; in training, `state` moves. Tells how near to the kink of a ReLU the network came.
    Values forward(Mode mode, const Values& x) {
        nearest_kink = INFINITY;
        Images f{image.batch(rows), x};
        std::size_t first = 0;  // of the block's convolutions, each of three parameters and two statistics
        if (what.stem) f = convolved(mode, f, {3, 3, 1}, first++, {}, what.activation);
        Values shortcut;
        if (what.residual) shortcut = f.values;
        if (what.residual && (what.stride != 1 || what.channels != f.shape[3]))
            shortcut = convolved(mode, f, {what.channels, 1, what.stride}, first + 2, {},
                                 what.activate_before_sum ? what.activation : Activation::Identity)
                           .values;
        f = convolved(mode, f, {what.channels, 3, what.stride}, first, {}, what.activation);
        f = convolved(mode, f, {what.channels, 3, 1}, first + 1,
                      what.activate_before_sum ? Values{} : shortcut, what.activation);
        for (std::size_t i = 0; i < shortcut.size() && what.activate_before_sum; ++i)
            f.values[i] += shortcut[i];
        if (what.dropout && mode == Mode::Training)
            f.values = reference::dropout(f.values, dropout, dropout_step.update).value;
        f.values = reference::average_pool_forward(f.values, f.shape, {f.shape[1] / 3, f.shape[2]}).value;
        const auto places = parameter_places(layers_of(what));
        return reference::dense_forward(f.values, part(w, *(places.end() - 2)), part(w, places.back()),
                                        Activation::Identity, {rows, 3 * what.channels, classes})
            .value;
    }

    double nearest_kink = INFINITY;

  private:
    static Values part(const Values& of, const ParameterPlace& place) {
        const auto first = of.begin() + static_cast<std::ptrdiff_t>(place.offset);
        return {first, first + static_cast<std::ptrdiff_t>(place.count)};
    }

    void put(const Values& values, const ParameterPlace& place) {
        std::ranges::copy(values, state.begin() + static_cast<std::ptrdiff_t>(place.offset));
    }

    /// Convolution number `index`, its normalisation, and what is added.
    Images convolved(Mode mode, const Images& x, const ConvolutionSize& size, std::size_t index,
                     const Values& residual, Activation activation) {
        const auto parameters = parameter_places(layers_of(what));
        const auto statistics = state_places(layers_of(what));
        const reference::ConvolutionShape shape(x.shape,
                                                {size.channels, size.kernel, size.kernel, x.shape[3]},
                                                {.stride = size.stride, .padding = size.kernel / 2});
        const Values z = reference::conv2d_forward(x.values, part(w, parameters[3 * index]), shape).value;
        const ParameterPlace mean = statistics[2 * index], variance = statistics[2 * index + 1];
        auto by = reference::running_statistics(part(state, mean), part(state, variance), {});
        if (mode == Mode::Training) {
            by = reference::batch_statistics(z, size.channels, {});
            put(reference::moved(part(state, mean), by.mean, {}).value, mean);
            put(reference::moved(part(state, variance), by.unbiased_variance, {}).value, variance);
        }
        const Values scale = part(w, parameters[3 * index + 1]), shift = part(w, parameters[3 * index + 2]);
        Values y = reference::normalized(z, by, scale, shift, residual, Activation::Identity).value;
        for (double& value : y) {
            if (activation == Activation::Relu) nearest_kink = std::min(nearest_kink, std::abs(value));
            value = reference::activate(activation, value);
        }
        return {shape.y, std::move(y)};
    }
};

/// A network with random parameters and running statistics, and as many input rows as its batch holds.
struct Subject {
    Subject(Backend& backend_, const Architecture& architecture)
        : what(architecture),
          backend(backend_),
          network(backend, layers_of(what), rows),
          host_x(normal_values(rows * image.elements(), 30)),
          x(on_device(backend, {rows, image.elements()}, host_x)),
          host_t(one_hot(std::vector<std::int32_t>{0, 1, 2, 1, 0}, classes)),
          t(on_device(backend, {rows, classes}, host_t)) {
        host_w = random_tensors(network.parameters(), parameter_places(layers_of(what)), false);
        host_state = random_tensors(network.state(), state_places(layers_of(what)), true);
    }

    DoubleNetwork in_double_precision() const { return {what, in_double(host_w), in_double(host_state)}; }

    /// Forward in training, loss and backward on x; the gradients after it.
    std::vector<float> gradients(GradMode mode) {
        const Buffer sums = backend.allocate(sizeof(double)), step = backend.allocate(sizeof(StepState));
        backend.zero(sums.view<double>({1}));
        backend.upload(std::span<const StepState>(&dropout_step, 1), step.view<StepState>({1}));
        const ConstTensor p = network.forward_training(x.view, step.view<StepState>({1}));
        apply_loss(backend, Loss::SoftmaxCrossEntropy, p, t.view, network.output_gradient(rows),
                   sums.view<double>({1}), step.view<StepState>({1}));
        network.backward(x.view, mode);
        return on_host(backend, network.gradients());
    }

    Architecture what;
    Backend& backend;
    Network network;
    std::vector<float> host_x;
    DeviceTensor x;
    std::vector<float> host_t;
    DeviceTensor t;
    std::vector<float> host_w, host_state;

  private:
    std::vector<float> random_tensors(Tensor to, const std::vector<ParameterPlace>& places, bool positive) {
        std::vector<float> host(static_cast<std::size_t>(to.elements()), 0.0F);
        std::uint32_t stream = positive ? 200 : 100;
        for (const ParameterPlace& place : places) {
            const auto values = normal_values(static_cast<std::int64_t>(place.count), stream++);
            for (std::size_t i = 0; i < place.count; ++i)
                host[place.offset + i] = positive ? 0.5F + std::abs(values[i]) : 0.5F * values[i];
        }
        backend.upload(std::span<const float>(host), to);
        return host;
    }
};

void for_each_subject(const std::function<void(Subject&)>& check) {
    for (const TestedBackend& tested : backends_present())
        for (const Architecture& what : architectures) {
            INFO(tested.name << ": " << what.name);
            Subject subject(*tested.backend, what);
            check(subject);
        }
}

/// By all parameters.
Values finite_differences(const Subject& s) {
    DoubleNetwork network = s.in_double_precision();
    const Values x = in_double(s.host_x), t = in_double(s.host_t);
    const auto value = [&] {
        return mean_loss(Loss::SoftmaxCrossEntropy, network.forward(Mode::Training, x), t, classes);
    };
    value();
    // A step moves nothing behind a ReLU by more than some 30 steps, so that none crosses its kink.
    constexpr double step = 1e-6;
    REQUIRE(network.nearest_kink > 30.0 * step);
    Values gradient(network.w.size(), 0.0);
    for (const ParameterPlace& place : parameter_places(layers_of(s.what)))
        for (std::size_t i = place.offset; i < place.offset + place.count; ++i) {
            const double before = network.w[i];
            network.w[i] = before + step;
            const double above = value();
            network.w[i] = before - step;
            gradient[i] = (above - value()) / (2.0 * step);
            network.w[i] = before;
        }
    return gradient;
}

void check_parts(const std::vector<float>& found, const Values& expected,
                 const std::vector<ParameterPlace>& places, double tolerance) {
    for (const ParameterPlace& place : places) {
        CAPTURE(place.offset);
        const auto part = [&place](const auto& values) {
            return std::span(values).subspan(place.offset, place.count);
        };
        CHECK(relative_difference(part(found), part(expected)) < tolerance);
    }
}

}  // namespace

TEST_CASE("engine/layers: in training, images go by the batch's statistics, and the running ones move") {
    for_each_subject([](Subject& s) {
        DoubleNetwork expected = s.in_double_precision();
        const Values y = expected.forward(Mode::Training, in_double(s.host_x));
        const Buffer step = s.backend.allocate(sizeof(StepState));
        s.backend.upload(std::span<const StepState>(&dropout_step, 1), step.view<StepState>({1}));
        const ConstTensor found = s.network.forward_training(s.x.view, step.view<StepState>({1}));
        CHECK(relative_difference(on_host(s.backend, found), y) < 5e-6);
        check_parts(on_host(s.backend, s.network.state()), expected.state, state_places(layers_of(s.what)),
                    1e-6);
    });
}

TEST_CASE("engine/layers: in evaluation, images go by the running statistics, which stay as they are") {
    for_each_subject([](Subject& s) {
        DoubleNetwork expected = s.in_double_precision();
        const Values y = expected.forward(Mode::Evaluation, in_double(s.host_x));
        const std::vector<float> found = on_host(s.backend, s.network.forward(s.x.view));
        CHECK(relative_difference(found, y) < 5e-6);
        CHECK(on_host(s.backend, s.network.state()) == s.host_state);
        CHECK(on_host(s.backend, s.network.parameters()) == s.host_w);
        // Each image for itself, whatever else is in the batch.
        const ConstTensor alone = s.network.forward(s.x.view.slice(1, 2));
        const Values of_two(y.begin() + classes, y.begin() + 3 * classes);
        CHECK(relative_difference(on_host(s.backend, alone), of_two) < 5e-6);
    });
}

TEST_CASE("engine/layers: backward through a block is the finite difference of the loss in double") {
    for_each_subject([](Subject& s) {
        check_parts(s.gradients(GradMode::Overwrite), finite_differences(s),
                    parameter_places(layers_of(s.what)), 2e-5);
    });
}

TEST_CASE("engine/layers: gradients of images replace or join those before, as GradMode says") {
    for_each_subject([](Subject& s) {
        const std::vector<float> once = s.gradients(GradMode::Overwrite);
        CHECK(s.gradients(GradMode::Overwrite) == once);
        Values twice = in_double(once);
        for (double& value : twice) value *= 2.0;
        check_parts(s.gradients(GradMode::Accumulate), twice, parameter_places(layers_of(s.what)), 1e-6);
    });
}

TEST_CASE("engine/layers: sizes that make no sense are refused") {
    CHECK_THROWS_WITH_AS(
        ConvolutionUnit(image, {3, 2, 1}),
        "a convolution of 6x4x2 to 3 channels, kernel 2, stride 1: expected sizes of at least 1 and "
        "an odd kernel",
        InputError);
    CHECK_THROWS_AS(ConvolutionUnit(image, {0, 3, 1}), InputError);
    CHECK_THROWS_AS(ConvolutionUnit({6, 0, 2}, {3, 3, 1}), InputError);
    CHECK_THROWS_AS(ResidualBlock(image, {.channels = 3, .stride = 0}), InputError);
    CHECK_THROWS_WITH_AS(AveragePooling(image, 4, 2),
                         "an image of 6x4 is to be averaged to 4x2, expected a grid that divides it",
                         InputError);
    CHECK_THROWS_AS(AveragePooling(image, 0, 1), InputError);
}
