#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "engine/trainer.h"
#include "kernels/cuda/cuda_kernels.h"
#include "models/mlp.h"
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
    MlpParams params;
    Loss loss;
    double learning_rate;
    std::int64_t batch;
};

const std::vector<Model>& models() {
    static const std::vector<Model> all = {
        {"the paper's", {}, Loss::MeanSquaredError, 1e-5, 256},
        {"relu, softmax", {784, {300, 100}, 10, Activation::Relu}, Loss::SoftmaxCrossEntropy, 1e-4, 256},
        {"sigmoid, odd sizes", {37, {65, 33, 17}, 3, Activation::Sigmoid}, Loss::MeanSquaredError, 1e-3, 48},
        {"40 layers",
         {64, std::vector<std::int64_t>(40, 50), 10, Activation::Tanh},
         Loss::MeanSquaredError,
         1e-4,
         100},
    };
    return all;
}

/// Loss over the whole set at the start and after every fifth step; the last of the batches is smaller.
std::vector<double> losses(Kernels& kernels, const Model& model, std::uint64_t seed = 0) {
    const std::int64_t samples = steps * model.batch - model.batch / 3;
    const DeviceDataset set(kernels, labelled_points(samples, model.params.inputs,
                                                     static_cast<std::int32_t>(model.params.outputs)));
    Network network(kernels, mlp(model.params), model.batch);
    network.initialize({}, seed);
    Trainer trainer(kernels, network, set,
                    {.loss = model.loss, .learning_rate = model.learning_rate, .adam = {}, .seed = seed});
    std::vector<double> found = {trainer.evaluate(set).loss};
    for (int step = 1; step <= steps; ++step) {
        trainer.finish_epoch([] { return false; });
        if (step % 5 == 0) found.push_back(trainer.evaluate(set).loss);
    }
    CHECK(trainer.epoch() * steps + trainer.step() == steps);
    return found;
}

/// The largest relative difference of two runs' losses; infinite when one is no number.
double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
    REQUIRE(a.size() == b.size());
    double largest = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double difference = std::fabs(a[i] - b[i]) / std::fabs(b[i]);
        largest = std::isfinite(difference) ? std::max(largest, difference) : INFINITY;
    }
    return largest;
}

constexpr double allowed = 1e-4;

TEST_CASE("agreement: what is compared shows another seed and other steps") {
    Kernels& kernels = *backends_present().front().kernels;
    for (const Model& model : models()) {
        if (model.name == "the paper's") continue;  // takes longest and shows no more than the others
        INFO("model: ", model.name);
        const std::vector<double> found = losses(kernels, model);
        CHECK(largest_difference(losses(kernels, model), found) == 0.0);
        CHECK(largest_difference(losses(kernels, model, 1), found) > 10.0 * allowed);
        std::vector<double> shifted = found;
        std::rotate(shifted.begin(), shifted.begin() + 1, shifted.end());
        CHECK(largest_difference(shifted, found) > 10.0 * allowed);
    }
}

TEST_CASE("agreement: 20 steps of training give the same losses on every pair of backends" *
          doctest::skip(!cuda_unavailable().empty())) {
    const std::vector<Backend>& backends = backends_present();
    REQUIRE_MESSAGE(backends.size() > 1, "there is no pair of backends: " << cuda_unavailable());
    for (const Model& model : models())
        for (std::size_t i = 1; i < backends.size(); ++i)
            for (std::size_t j = 0; j < i; ++j) {
                INFO(backends[i].name, " against ", backends[j].name, ", model: ", model.name);
                const double difference = largest_difference(losses(*backends[i].kernels, model),
                                                             losses(*backends[j].kernels, model));
                INFO("relative difference: ", difference);
                CHECK(difference <= allowed);
                MESSAGE(backends[i].name << " against " << backends[j].name << ", " << model.name << ": "
                                         << difference);
            }
}

/// What one kind of product gives on positive numbers, whose sums cancel nothing.
std::vector<std::vector<float>> positive_products(Kernels& kernels) {
    const auto positive = [&](const Shape& shape, std::uint32_t stream) {
        std::vector<float> values = normal_values(shape.elements(), stream);
        for (float& value : values) value = 0.5F + std::fabs(value);
        return on_device(kernels, shape, values);
    };
    const auto zeros = [&](const Shape& shape) {
        return on_device(kernels, shape, std::vector<float>(static_cast<std::size_t>(shape.elements())));
    };
    const DeviceTensor x = positive({256, 500}, 1), w = positive({500, 500}, 2), y = zeros({256, 500});
    const DeviceTensor image = positive({8, 16, 16, 64}, 3), filter = positive({64, 3, 3, 64}, 4);
    const DeviceTensor out = zeros({8, 16, 16, 64}), dout = positive({8, 16, 16, 64}, 5);
    const DeviceTensor dimage = zeros({8, 16, 16, 64}), dfilter = zeros({64, 3, 3, 64}), b = zeros({500});
    const Conv2dParams around{1, 1};
    kernels.dense_forward(x.view, w.view, b.view, Activation::Identity, y.view);
    kernels.conv2d_forward(image.view, filter.view, around, out.view);
    kernels.conv2d_backward(image.view, filter.view, dout.view, around, dimage.view, dfilter.view,
                            GradMode::Overwrite);
    return {on_host(kernels, y.view), on_host(kernels, out.view), on_host(kernels, dimage.view),
            on_host(kernels, dfilter.view)};
}

TEST_CASE("agreement: tf32 and bf16 round factors, and no more" *
          doctest::skip(!cuda_unavailable().empty())) {
    const auto exact = positive_products(*backends_present().front().kernels);
    // Half the spacing of factors of 11 and 8 bits, twice for those that cut off; two factors a product.
    for (const auto& [precision, bound] :
         {std::pair(Precision::TensorFloat32, 0x1p-9), std::pair(Precision::BFloat16, 0x1p-6)}) {
        const std::string name(precision_name(precision));
        INFO(name);
        const auto found = positive_products(*open_kernels("cuda", precision).kernels);
        for (std::size_t k = 0; k < exact.size(); ++k) {
            double largest = 0.0;
            for (std::size_t i = 0; i < exact[k].size(); ++i) {
                const double apart = std::fabs(found[k][i] - exact[k][i]) / exact[k][i];
                largest = std::isfinite(apart) ? std::max(largest, apart) : INFINITY;
            }
            CHECK(largest <= bound);
            CHECK(largest > 1e-6);  // more than fp32's rounding: the faster units were used
        }
    }
}

}  // namespace
}  // namespace deepfreq::tests
