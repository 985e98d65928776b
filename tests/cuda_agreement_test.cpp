#include <doctest/doctest.h>
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/trainer.h"
#include "models/mlp.h"
#include "models/resnet18_variants.h"
#include "tests/backends.h"
#include "tests/engine_fixtures.h"

// The same training on every backend: where the operations agree one by one (kernels_test.cpp), so must whole
// steps.

namespace deepfreq::tests {
namespace {

constexpr int steps = 20;

/// A network, and how it is trained.
struct Model {
    std::string name;
    std::function<std::vector<std::unique_ptr<Layer>>()> layers;
    std::int64_t inputs, batch;
    double learning_rate;
    Loss loss = Loss::MeanSquaredError;
    std::int32_t classes = 10;
    bool large = false;  ///< takes long on a CPU
};

Model of_dense_layers(std::string name, const MlpParams& params, std::int64_t batch, double learning_rate,
                      Loss loss = Loss::MeanSquaredError) {
    return {.name = std::move(name),
            .layers = [=] { return mlp(params); },
            .inputs = params.inputs,
            .batch = batch,
            .learning_rate = learning_rate,
            .loss = loss,
            .classes = static_cast<std::int32_t>(params.outputs)};
}

Model of_images(std::string name, const Resnet18Params& params, bool large) {
    return {.name = std::move(name),
            .layers = [=] { return resnet18_variant(params); },
            .inputs = params.height * params.width * params.channels,
            .batch = 8,
            .learning_rate = 1e-4,
            .loss = Loss::SoftmaxCrossEntropy,
            .large = large};
}

/// The paper's, on smaller images.
Model resnet18(int variant) {
    return of_images(fmt::format("Resnet18-{}", variant), {.height = 16, .width = 16, .variant = variant},
                     true);
}

const std::vector<Model>& models() {
    static const std::vector<std::int64_t> very_deep(80, 50);
    static const std::vector<Model> all = {
        of_dense_layers("the paper's", {}, 256, 1e-5),
        of_dense_layers("relu, softmax", {784, {300, 100}, 10, Activation::Relu}, 256, 1e-4,
                        Loss::SoftmaxCrossEntropy),
        of_dense_layers("sigmoid, odd sizes", {37, {65, 33, 17}, 3, Activation::Sigmoid}, 48, 1e-3),
        of_dense_layers("80 layers", {64, very_deep, 10, Activation::Tanh}, 100, 1e-4),
        of_images("narrow Resnet18-2",
                  {.height = 8,
                   .width = 8,
                   .parts = {8, 16, 32, 64},
                   .variant = 2,
                   .pooling = HeadPooling::Global,
                   .head = {64}},
                  false),
        resnet18(1),
        resnet18(2),
        resnet18(3),
        resnet18(4),
    };
    return all;
}

/// How a model is trained.
struct Run {
    std::uint64_t seed = 0;
    bool capture_steps = true;
    bool moved = false;  ///< whether every input is the next larger float
};

/// Loss over the whole set at the start and after every fifth step; the last of the batches is smaller.
std::vector<double> losses(Backend& backend, const Model& model, const Run& run = {}) {
    const std::int64_t samples = steps * model.batch - model.batch / 3;
    Dataset points = labelled_points(samples, model.inputs, model.classes);
    for (float& value : points.inputs)
        if (run.moved) value = std::nextafter(value, INFINITY);
    const DeviceDataset set(backend, points);
    Network network(backend, model.layers(), model.batch);
    network.initialize({}, run.seed);
    Trainer trainer(backend, network, set,
                    {.loss = model.loss,
                     .learning_rate = model.learning_rate,
                     .seed = run.seed,
                     .capture_steps = run.capture_steps});
    std::vector<double> found = {trainer.evaluate(set).loss};
    for (int step = 1; step <= steps; ++step) {
        trainer.finish_epoch([] { return false; });
        if (step % 5 == 0) found.push_back(trainer.evaluate(set).loss);
    }
    CHECK(trainer.epoch() * steps + trainer.step() == steps);
    return found;
}

double relative_difference(double a, double b) {
    const double difference = std::fabs(a - b) / std::fabs(b);
    return std::isfinite(difference) ? difference : INFINITY;
}

/// The largest relative difference of two runs' losses; infinite when one is no number.
double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
    REQUIRE(a.size() == b.size());
    double largest = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, relative_difference(a[i], b[i]));
    return largest;
}

constexpr double allowed = 1e-4;

TEST_CASE("agreement: what is compared shows another seed and other steps") {
    Backend& backend = *backends_present().front().backend;
    for (const Model& model : models()) {
        if (model.large || model.name == "the paper's") continue;  // and shows no more than the others
        INFO("model: ", model.name);
        const std::vector<double> found = losses(backend, model);
        CHECK(largest_difference(losses(backend, model), found) == 0.0);
        CHECK(largest_difference(losses(backend, model, {.seed = 1}), found) > 10.0 * allowed);
        std::vector<double> shifted = found;
        std::rotate(shifted.begin(), shifted.begin() + 1, shifted.end());
        CHECK(largest_difference(shifted, found) > 10.0 * allowed);
    }
}

/// Whether there is a GPU to compare with; backends_present() says aloud why not.
bool is_alone() {
    return backends_present().size() == 1;
}

TEST_CASE("agreement: 20 steps of training give the same losses on every pair of backends") {
    if (is_alone()) return;
    Backend& cpu = *backends_present()[0].backend;
    Backend& cuda = *backends_present()[1].backend;
    for (const Model& model : models()) {
        INFO("model: ", model.name);
        const std::vector<double> expected = losses(cpu, model);
        const std::vector<double> found = losses(cuda, model);
        // Steps of Adam magnify roundings, those of deep residual networks a thousandfold and more: as much
        // as they do when the inputs are rounded otherwise.
        const std::vector<double> moved = losses(cpu, model, {.moved = true});
        for (std::size_t i = 0; i < expected.size(); ++i)
            CHECK(relative_difference(found[i], expected[i]) <=
                  std::max(allowed, 2.0 * relative_difference(moved[i], expected[i])));
        MESSAGE("cuda against cpu, " << model.name << ": " << largest_difference(found, expected)
                                     << " (other inputs: " << largest_difference(moved, expected) << ")");
    }
}

/// A device and a precision less than float32 that it has.
struct Rounding {
    std::string device;
    Precision precision;

    std::string name() const { return fmt::format("{} in {}", device, precision_name(precision)); }
    std::unique_ptr<Backend> open() const { return open_backend(device, precision).backend; }
};

std::vector<Rounding> roundings_present() {
    std::vector<Rounding> all = {{"cpu", Precision::BFloat16}};
    if (!is_alone())
        for (const Precision precision : {Precision::TensorFloat32, Precision::BFloat16})
            all.push_back({"cuda", precision});
    return all;
}

TEST_CASE("agreement: 20 steps of training in tf32 and bf16 give the losses of fp32") {
    // A few times the largest found on an H100, of 4e-3 by Resnet18-1 in both.
    constexpr double bound = 1e-2;
    for (const Rounding& rounding : roundings_present()) {
        const auto rounded = rounding.open();
        const auto exact = open_backend(rounding.device).backend;
        for (const Model& model : models()) {
            if (model.large && rounding.device == "cpu") continue;
            INFO(rounding.name(), ", ", model.name);
            const double difference = largest_difference(losses(*rounded, model), losses(*exact, model));
            CHECK(difference <= bound);
            MESSAGE(rounding.name() << " against fp32, " << model.name << ": " << difference);
        }
    }
}

TEST_CASE("agreement: steps captured as a graph or not give the same bits in every precision") {
    if (is_alone()) return;
    for (const Precision precision : {Precision::Float32, Precision::TensorFloat32, Precision::BFloat16}) {
        const auto backend = open_backend("cuda", precision).backend;
        for (const Model& model : models()) {
            INFO(precision_name(precision), ", model: ", model.name);
            CHECK(losses(*backend, model, {.capture_steps = false}) == losses(*backend, model));
        }
    }
}

/// What one kind of product gives on positive numbers, whose sums cancel nothing.
std::vector<std::vector<float>> positive_products(Backend& backend) {
    const auto positive = [&](const Shape& shape, std::uint32_t stream) {
        std::vector<float> values = normal_values(shape.elements(), stream);
        for (float& value : values) value = 0.5F + std::fabs(value);
        return on_device(backend, shape, values);
    };
    const auto zeros = [&](const Shape& shape) {
        return on_device(backend, shape, std::vector<float>(static_cast<std::size_t>(shape.elements())));
    };
    const DeviceTensor x = positive({256, 500}, 1), w = positive({500, 500}, 2), y = zeros({256, 500});
    const DeviceTensor image = positive({8, 16, 16, 64}, 3), filter = positive({64, 3, 3, 64}, 4);
    const DeviceTensor out = zeros({8, 16, 16, 64}), dout = positive({8, 16, 16, 64}, 5);
    const DeviceTensor dimage = zeros({8, 16, 16, 64}), dfilter = zeros({64, 3, 3, 64}), b = zeros({500});
    const Conv2dParams around{1, 1};
    backend(
        DenseForward{.x = x.view, .w = w.view, .b = b.view, .activation = Activation::Identity, .y = y.view});
    backend(Conv2dForward{.x = image.view, .w = filter.view, .params = around, .y = out.view});
    backend(Conv2dBackward{.x = image.view,
                           .w = filter.view,
                           .dy = dout.view,
                           .params = around,
                           .dx = dimage.view,
                           .dw = dfilter.view});
    return {on_host(backend, y.view), on_host(backend, out.view), on_host(backend, dimage.view),
            on_host(backend, dfilter.view)};
}

TEST_CASE("agreement: tf32 and bf16 round factors, and no more") {
    const auto exact = positive_products(*backends_present().front().backend);
    for (const Rounding& rounding : roundings_present()) {
        INFO(rounding.name());
        // Half the spacing of factors of 11 and 8 bits, twice for those that cut off; two factors per
        // product.
        const double bound = rounding.precision == Precision::BFloat16 ? 0x1p-6 : 0x1p-9;
        const auto found = positive_products(*rounding.open());
        for (std::size_t k = 0; k < exact.size(); ++k) {
            double largest = 0.0;
            for (std::size_t i = 0; i < exact[k].size(); ++i) {
                const double apart = std::fabs(found[k][i] - exact[k][i]) / exact[k][i];
                largest = std::isfinite(apart) ? std::max(largest, apart) : INFINITY;
            }
            CHECK(largest <= bound);
            CHECK(largest > 1e-6);  // more than fp32's rounding: factors were rounded
        }
    }
}

}  // namespace
}  // namespace deepfreq::tests
