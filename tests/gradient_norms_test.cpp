#include <doctest/doctest.h>

#include <cmath>

#include "common/error.h"
#include "engine/checkpoint.h"
#include "engine/trainer.h"
#include "tests/backends.h"
#include "tests/engine_fixtures.h"

namespace deepfreq::tests {
namespace {

const MlpParams three_layers{.inputs = 6, .hidden = {7, 7}, .outputs = 3};
constexpr int depth = 3;

struct Run {
    explicit Run(Backend& backend, std::uint64_t weights_seed = 1, bool captured = true)
        : set(backend, labelled_points(23, 6, 3)),
          network(backend, mlp(three_layers), 5),
          trainer(backend, network, set,
                  {.learning_rate = 1e-2, .gradient_norms = true, .capture_steps = captured}) {
        network.initialize({}, weights_seed);
    }

    std::vector<double> after(std::int64_t epochs) {
        while (trainer.epoch() < epochs) REQUIRE(trainer.finish_epoch([] { return true; }));
        return trainer.gradient_norms();
    }

    DeviceDataset set;
    Network network;
    Trainer trainer;
};

/// Squared norms of the gradients of each layer, from where its parameters lie, in double.
std::vector<double> squared_norms(Backend& backend, const Network& network) {
    const std::vector<float> g = on_host(backend, network.gradients());
    const auto places = parameter_places(mlp(three_layers));
    std::vector<double> squares(depth, 0.0);
    for (std::size_t i = 0; i < places.size(); ++i)
        for (std::size_t k = 0; k < places[i].count; ++k)
            squares[i / 2] += std::pow(static_cast<double>(g[places[i].offset + k]), 2);
    return squares;
}

}  // namespace

TEST_CASE("engine/trainer: gradient norms are those of the steps, each epoch by itself") {
    for (const TestedBackend& tested : backends_present()) {
        Run run(*tested.backend);
        CHECK(run.trainer.gradient_norms().empty());
        for (int epoch = 0; epoch < 3; ++epoch) {
            std::vector<double> sums(depth, 0.0);
            REQUIRE(run.trainer.finish_epoch([&] {
                const auto squares = squared_norms(*tested.backend, run.network);
                for (int l = 0; l < depth; ++l) sums[l] += squares[l];
                return true;
            }));
            REQUIRE(run.trainer.gradient_norms().size() == depth);
            for (int l = 0; l < depth; ++l) {
                const double expected =
                    std::sqrt(sums[l] / static_cast<double>(run.trainer.steps_per_epoch()));
                CHECK(expected > 0.0);
                CHECK(run.trainer.gradient_norms()[l] == doctest::Approx(expected).epsilon(1e-12));
            }
        }
    }
}

TEST_CASE("engine/trainer: gradient norms are the same bits captured or not, and resumed at any step") {
    for (const TestedBackend& tested : backends_present()) {
        Backend& backend = *tested.backend;
        const auto whole = Run(backend).after(2);
        CHECK(Run(backend, 1, false).after(2) == whole);
        for (std::int64_t steps = 1; steps < 5; ++steps) {
            Run interrupted(backend), resumed(backend, 99);
            interrupted.after(1);
            interrupted.trainer.finish_epoch([&] { return interrupted.trainer.step() < steps; });
            resumed.trainer.restore(interrupted.trainer.save(), "checkpoint");
            CHECK(resumed.trainer.gradient_norms().empty());
            CHECK(resumed.after(2) == whole);
            CHECK(interrupted.after(2) == whole);
        }
    }
}

TEST_CASE("engine/trainer: a checkpoint without gradient norms is refused where they are asked for") {
    Backend& backend = *backends_present().front().backend;
    Run run(backend);
    Checkpoint checkpoint = run.trainer.save();
    checkpoint.header.erase("squared_norms");
    CHECK_THROWS_WITH_AS(run.trainer.restore(checkpoint, "old"), doctest::Contains("gradient norms"),
                         InputError);
}

}  // namespace deepfreq::tests
