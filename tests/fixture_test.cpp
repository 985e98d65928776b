#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/layers/dense.h"
#include "engine/trainer.h"
#include "runs/manifest.h"
#include "tests/backends.h"
#include "tests/engine_fixtures.h"
#include "tests/pytorch_fixture.h"

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
    std::ifstream file(source_file("tests/fixtures/mlp_pytorch.json"));
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

/// Full-batch training of its network.
struct Training {
    Training(Backend& backend, const Fixture& fixture)
        : places(parameter_places(mlp(fixture.params))),
          network(backend, mlp(fixture.params), fixture.samples),
          trainer(backend, network, fixture.loss, fixture.facts.at("inputs"), fixture.facts.at("targets")) {
        upload_tensors(backend, fixture.facts.at("parameters"), places, network.parameters());
    }

    std::vector<ParameterPlace> places;
    Network network;
    HandTrainer trainer;
};

}  // namespace

TEST_CASE("fixtures: loss and every gradient are PyTorch's, and so are 10 steps of Adam") {
    const std::vector<Fixture> all = fixtures();
    for (const TestedBackend& tested : backends_present())
        for (const Fixture& fixture : all) {
            CAPTURE(tested.name);
            CAPTURE(fixture.name());
            Backend& backend = *tested.backend;
            Training t(backend, fixture);
            double loss = t.trainer.loss_and_gradients();
            CHECK(loss == doctest::Approx(fixture.facts.at("first_loss").get<double>()).epsilon(tolerance));
            check_tensors(backend, t.network.gradients(), t.places, fixture.facts.at("first_gradients"),
                          tolerance);
            int steps = 0;
            for (const nlohmann::json& after : fixture.facts.at("after")) {
                for (; steps < after.at("steps").get<int>(); ++steps) {
                    t.trainer.update();
                    loss = t.trainer.loss_and_gradients();
                }
                CAPTURE(steps);
                check_tensors(backend, t.network.parameters(), t.places, after.at("parameters"), tolerance);
                CHECK(loss == doctest::Approx(after.at("loss").get<double>()).epsilon(tolerance));
            }
            CHECK(steps == 10);
        }
}

TEST_CASE("fixtures: the trainer takes PyTorch's 10 steps when an epoch is one batch") {
    const std::vector<Fixture> all = fixtures();
    for (const TestedBackend& tested : backends_present()) {
        const Fixture& fixture = all[1];
        REQUIRE(fixture.loss == Loss::SoftmaxCrossEntropy);  // its targets are one-hot
        Backend& backend = *tested.backend;
        Dataset data;
        data.samples = fixture.samples;
        data.features = fixture.params.inputs;
        data.classes = static_cast<std::int32_t>(fixture.params.outputs);
        data.inputs = fixture.facts.at("inputs").get<std::vector<float>>();
        data.labels = fixture.facts.at("labels").get<std::vector<std::int32_t>>();
        const DeviceDataset set(backend, data);
        Network network(backend, mlp(fixture.params), fixture.samples);
        Trainer trainer(backend, network, set, {.loss = fixture.loss, .learning_rate = 1e-3, .adam = {}});
        const auto places = parameter_places(mlp(fixture.params));
        upload_tensors(backend, fixture.facts.at("parameters"), places, network.parameters());
        for (int epoch = 0; epoch < 10; ++epoch) REQUIRE(trainer.finish_epoch([] { return true; }));
        const nlohmann::json& after = fixture.facts.at("after").at(1);
        REQUIRE(after.at("steps") == 10);
        check_tensors(backend, network.parameters(), places, after.at("parameters"), tolerance);
        CHECK(trainer.evaluate(set).loss ==
              doctest::Approx(after.at("loss").get<double>()).epsilon(tolerance));
    }
}
