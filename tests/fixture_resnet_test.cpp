#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "models/resnet18_variants.h"
#include "runs/manifest.h"
#include "tests/backends.h"
#include "tests/pytorch_fixture.h"

// A residual network as PyTorch trains it: a guard against misreadings our own reference could share.
// The files are made by tests/fixtures/make_resnet_fixture.py.

using namespace deepfreq;
using namespace deepfreq::tests;

namespace {

constexpr double tolerance = 1e-4;

nlohmann::json read_fixture(const std::string& name) {
    std::ifstream file(source_file("tests/fixtures/" + name));
    REQUIRE(file);
    return nlohmann::json::parse(file);
}

std::vector<std::unique_ptr<Layer>> layers_of(const nlohmann::json& facts) {
    Resnet18Params params;
    params.height = facts.at("height");
    params.width = facts.at("width");
    params.channels = facts.at("channels");
    params.classes = facts.at("classes");
    params.parts = facts.at("parts").get<std::vector<std::int64_t>>();
    params.variant = facts.at("variant");
    params.head = facts.at("head").get<std::vector<std::int64_t>>();
    if (facts.at("programs").get<bool>()) {
        params.pooling = HeadPooling::By4x4;
        params.activate_before_sum = true;
        params.batch_norm = {.epsilon = 1e-3, .momentum = 0.01};
    }
    return resnet18_variant(params);
}

void check_fixture(const nlohmann::json& facts) {
    const auto labels = facts.at("labels").get<std::vector<std::int32_t>>();
    const auto places = parameter_places(layers_of(facts)), statistics = state_places(layers_of(facts));
    REQUIRE(facts.at("steps").size() == 3);
    for (const TestedBackend& tested : backends_present()) {
        CAPTURE(tested.name);
        Backend& backend = *tested.backend;
        Network network(backend, layers_of(facts), std::ssize(labels));
        network.initialize({}, 1);  // running statistics begin as they should; the weights are PyTorch's
        upload_tensors(backend, facts.at("parameters"), places, network.parameters());
        HandTrainer trainer(backend, network, Loss::SoftmaxCrossEntropy, facts.at("inputs"),
                            one_hot(labels, facts.at("classes")), {.epsilon = facts.at("adam_epsilon")});
        for (const nlohmann::json& step : facts.at("steps")) {
            CHECK(trainer.loss_and_gradients() ==
                  doctest::Approx(step.at("loss").get<double>()).epsilon(tolerance));
            check_tensors(backend, network.gradients(), places, step.at("gradients"), tolerance);
            check_tensors(backend, network.state(), statistics, step.at("running_statistics"), tolerance);
            trainer.update();
        }
        check_tensors(backend, network.parameters(), places, facts.at("parameters_after"), tolerance);
        CHECK(relative_difference(on_host(backend, network.forward(trainer.inputs())),
                                  facts.at("outputs_after").get<std::vector<double>>()) < tolerance);
    }
}

}  // namespace

TEST_CASE(
    "fixtures: a residual network's losses, gradients and running statistics are PyTorch's over 3 steps") {
    check_fixture(read_fixture("resnet_pytorch.json"));
}

TEST_CASE("fixtures: so are those of the networks of the paper's programs") {
    check_fixture(read_fixture("resnet_programs_pytorch.json"));
}
