#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/layers/dense.h"
#include "engine/trainer.h"
#include "tests/backends.h"
#include "tests/engine_fixtures.h"

// Whole networks as PyTorch trains them: a guard against misreadings our own reference could share.
// The file is made by tests/fixtures/make_mlp_fixture.py.

using namespace deepfreq;
using namespace deepfreq::tests;

namespace {

constexpr double tolerance = 1e-5;

struct Fixture {
    MlpParams params;
    Loss loss;
    std::int64_t samples;
    nlohmann::json facts;

    std::string name() const { return facts.at("widths").dump() + facts.at("activation").dump(); }
};

std::vector<Fixture> fixtures() {
    std::ifstream file(DEEPFREQ_TEST_DIR "/fixtures/mlp_pytorch.json");
    REQUIRE(file);
    std::vector<Fixture> all;
    for (const nlohmann::json& facts : nlohmann::json::parse(file)) {
        const auto widths = facts.at("widths").get<std::vector<std::int64_t>>();
        const MlpParams params{widths.front(),
                               {widths.begin() + 1, widths.end() - 1},
                               widths.back(),
                               parse_activation(facts.at("activation").get<std::string>())};
        all.push_back({params, parse_loss(facts.at("loss").get<std::string>()),
                       std::ssize(facts.at("inputs")) / params.inputs, facts});
    }
    REQUIRE(all.size() == 3);
    return all;
}

void upload_parameters(Kernels& kernels, const Fixture& fixture, const Network& network) {
    std::vector<float> host(static_cast<std::size_t>(network.parameters().elements()), 0.0F);
    const auto places = parameter_places(mlp(fixture.params));
    const nlohmann::json& tensors = fixture.facts.at("parameters");
    REQUIRE(tensors.size() == places.size());
    for (std::size_t i = 0; i < places.size(); ++i) {
        const auto values = tensors[i].get<std::vector<float>>();
        REQUIRE(values.size() == places[i].count);
        std::ranges::copy(values, host.begin() + static_cast<std::ptrdiff_t>(places[i].offset));
    }
    kernels.upload(std::span<const float>(host), network.parameters());
}

/// Every tensor of parameters or gradients against PyTorch's, relative to that tensor's largest magnitude.
void check_tensors(Kernels& kernels, const Fixture& fixture, Tensor found, const nlohmann::json& expected) {
    const std::vector<float> host = on_host(kernels, found);
    const auto places = parameter_places(mlp(fixture.params));
    REQUIRE(expected.size() == places.size());
    for (std::size_t i = 0; i < places.size(); ++i) {
        CAPTURE(i);
        const auto tensor = std::span(host).subspan(places[i].offset, places[i].count);
        CHECK(relative_difference(tensor, expected[i].get<std::vector<double>>()) < tolerance);
    }
}

/// Full-batch training, step by step through Kernels.
class HandTrainer {
  public:
    HandTrainer(Kernels& kernels, const Fixture& fixture)
        : kernels_(kernels),
          fixture_(fixture),
          network_(kernels, mlp(fixture.params), fixture.samples),
          x_(on_device(kernels, {fixture.samples, fixture.params.inputs}, fixture.facts.at("inputs"))),
          t_(on_device(kernels, {fixture.samples, fixture.params.outputs}, fixture.facts.at("targets"))),
          m_(kernels.allocate_zeros(network_.parameters().shape)),
          v_(kernels.allocate_zeros(network_.parameters().shape)),
          sums_(kernels.allocate(sizeof(double))),
          state_(kernels.allocate(sizeof(StepState))) {
        upload_parameters(kernels, fixture, network_);
    }

    const Network& network() const { return network_; }

    /// Mean loss of the network as it is; leaves the gradients.
    double loss_and_gradients() {
        set_state();
        kernels_.zero(sums());
        const ConstTensor p = network_.forward(x_.view);
        apply_loss(kernels_, fixture_.loss, p, t_.view, network_.output_gradient(fixture_.samples), sums(),
                   state());
        network_.backward(x_.view);
        return on_host(kernels_, sums()).front() / static_cast<double>(fixture_.samples);
    }

    void update() {
        set_state();
        const Shape shape = network_.parameters().shape;
        kernels_.adam(network_.parameters(), network_.gradients(), m_.view<float>(shape),
                      v_.view<float>(shape), {}, state());
        ++updates_;
    }

  private:
    TensorView<double> sums() const { return sums_.view<double>({1}); }
    TensorView<StepState> state() const { return state_.view<StepState>({1}); }
    void set_state() {
        const StepState now{.update = updates_, .learning_rate = 1e-3F};
        kernels_.upload(std::span<const StepState>(&now, 1), state());
    }

    Kernels& kernels_;
    const Fixture& fixture_;
    Network network_;
    DeviceTensor x_, t_;
    Buffer m_, v_, sums_, state_;
    std::int64_t updates_ = 0;
};

}  // namespace

TEST_CASE("fixtures: loss and every gradient are PyTorch's, and so are 10 steps of Adam") {
    const std::vector<Fixture> all = fixtures();
    for (const Backend& backend : backends_present())
        for (const Fixture& fixture : all) {
            CAPTURE(backend.name);
            CAPTURE(fixture.name());
            HandTrainer trainer(*backend.kernels, fixture);
            double loss = trainer.loss_and_gradients();
            CHECK(loss == doctest::Approx(fixture.facts.at("first_loss").get<double>()).epsilon(tolerance));
            check_tensors(*backend.kernels, fixture, trainer.network().gradients(),
                          fixture.facts.at("first_gradients"));
            int steps = 0;
            for (const nlohmann::json& after : fixture.facts.at("after")) {
                for (; steps < after.at("steps").get<int>(); ++steps) {
                    trainer.update();
                    loss = trainer.loss_and_gradients();
                }
                CAPTURE(steps);
                check_tensors(*backend.kernels, fixture, trainer.network().parameters(),
                              after.at("parameters"));
                CHECK(loss == doctest::Approx(after.at("loss").get<double>()).epsilon(tolerance));
            }
            CHECK(steps == 10);
        }
}

TEST_CASE("fixtures: the trainer takes PyTorch's 10 steps when an epoch is one batch") {
    const std::vector<Fixture> all = fixtures();
    for (const Backend& backend : backends_present()) {
        const Fixture& fixture = all[1];
        REQUIRE(fixture.loss == Loss::SoftmaxCrossEntropy);  // its targets are one-hot
        Kernels& kernels = *backend.kernels;
        Dataset data;
        data.samples = fixture.samples;
        data.features = fixture.params.inputs;
        data.classes = static_cast<std::int32_t>(fixture.params.outputs);
        data.inputs = fixture.facts.at("inputs").get<std::vector<float>>();
        data.labels = fixture.facts.at("labels").get<std::vector<std::int32_t>>();
        const DeviceDataset set(kernels, data);
        Network network(kernels, mlp(fixture.params), fixture.samples);
        Trainer trainer(kernels, network, set, {.loss = fixture.loss, .learning_rate = 1e-3, .adam = {}});
        upload_parameters(kernels, fixture, network);
        for (int epoch = 0; epoch < 10; ++epoch) REQUIRE(trainer.finish_epoch([] { return true; }));
        const nlohmann::json& after = fixture.facts.at("after").at(1);
        REQUIRE(after.at("steps") == 10);
        check_tensors(kernels, fixture, network.parameters(), after.at("parameters"));
        CHECK(trainer.evaluate(set).loss ==
              doctest::Approx(after.at("loss").get<double>()).epsilon(tolerance));
    }
}
