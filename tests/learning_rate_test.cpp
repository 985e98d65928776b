#include "engine/learning_rate.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/checkpoint.h"
#include "engine/trainer.h"
#include "tests/backends.h"
#include "tests/engine_fixtures.h"

using namespace deepfreq;
using namespace deepfreq::tests;

namespace {

/// Network, data and trainer of one small run: 11 samples in batches of 4, the last of 3.
struct Run {
    Run(Backend& backend, const LearningRateSchedule& learning_rate, std::uint64_t weights_seed = 1)
        : Run(backend, TrainerOptions{.learning_rate = learning_rate, .adam = {}, .seed = 7}, weights_seed) {}
    Run(Backend& backend, const TrainerOptions& options, std::uint64_t weights_seed = 1)
        : set(backend, labelled_points(11, 4, 3)),
          network(backend, mlp({4, {5}, 3, Activation::Tanh}), 4),
          trainer(backend, network, set, options) {
        network.initialize({}, weights_seed);
    }

    void epochs(std::int64_t until) {
        while (trainer.epoch() < until) REQUIRE(trainer.finish_epoch([] { return true; }));
    }

    DeviceDataset set;
    Network network;
    Trainer trainer;
};

}  // namespace

TEST_CASE("engine/learning_rate: one number is the rate of every epoch") {
    for (const LearningRateSchedule& schedule : {parse_learning_rate("1e-5"), LearningRateSchedule(1e-5)})
        for (const std::int64_t epoch : {std::int64_t{0}, std::int64_t{1}, std::int64_t{1} << 40}) {
            CHECK(schedule.at(epoch) == 1e-5);
            CHECK_NOTHROW(schedule.check_covers(epoch));
        }
    CHECK(parse_learning_rate("0.25").at(0) == 0.25);
}

TEST_CASE("engine/learning_rate: stages follow one another, each for as many epochs as it says") {
    const LearningRateSchedule schedule = parse_learning_rate("1e-3:2,1e-4:1,0.5:3");
    const double expected[] = {1e-3, 1e-3, 1e-4, 0.5, 0.5, 0.5};
    for (std::int64_t epoch = 0; epoch < 6; ++epoch) CHECK(schedule.at(epoch) == expected[epoch]);
    for (std::int64_t epochs = 0; epochs <= 6; ++epochs) CHECK_NOTHROW(schedule.check_covers(epochs));
    const char* const refusal = "the learning rate schedule ends after 6 epochs, expected a rate for epoch 7";
    CHECK_THROWS_WITH_AS(schedule.at(6), refusal, InputError);
    CHECK_THROWS_WITH_AS(schedule.check_covers(7), refusal, InputError);
    CHECK_THROWS_AS(LearningRateSchedule().at(0), InputError);
}

TEST_CASE("engine/learning_rate: a rate that decays is multiplied by its factor after every epoch") {
    LearningRateSchedule schedule = parse_learning_rate("1e-3:2,1e-4:8");
    CHECK(!schedule.changes_at(0));
    CHECK(!schedule.changes_at(1));
    CHECK(schedule.changes_at(2));
    CHECK(!schedule.changes_at(10));
    CHECK(!LearningRateSchedule(1e-3).changes_at(0));
    schedule.decay = 0.5;
    for (std::int64_t epoch = 0; epoch < 10; ++epoch)
        CHECK(schedule.at(epoch) == doctest::Approx((epoch < 2 ? 1e-3 : 1e-4) * std::pow(0.5, epoch)));
}

TEST_CASE("engine/trainer: with reset_adam, the epoch of another rate goes as a trainer's first") {
    for (const TestedBackend& tested : backends_present()) {
        CAPTURE(tested.name);
        Backend& backend = *tested.backend;
        const TrainerOptions options{
            .learning_rate = parse_learning_rate("1e-2:2,1e-3:2"), .adam = {}, .reset_adam = true, .seed = 7};
        Run run(backend, options), kept_on(backend, {.learning_rate = options.learning_rate, .seed = 7});
        run.epochs(2);
        // A trainer that knows nothing of the first two epochs, but whose batches come in the third's order.
        Run fresh(backend, LearningRateSchedule(1e-3));
        Checkpoint bare = fresh.trainer.save();
        const Checkpoint reached = run.trainer.save();
        std::int64_t weights = 0;  // which a checkpoint begins with
        for (const NamedTensor& parameter : run.network.named_parameters())
            weights += parameter.view.elements();
        std::copy_n(reached.values.begin(), weights, bare.values.begin());
        bare.header["epoch"] = 2;
        fresh.trainer.restore(bare, "bare");
        run.epochs(3);
        fresh.epochs(3);
        kept_on.epochs(3);
        const std::vector<float> found = on_host(backend, run.network.parameters());
        CHECK(found == on_host(backend, fresh.network.parameters()));
        CHECK(found != on_host(backend, kept_on.network.parameters()));
        // Resumed at the change, or in the midst of the epoch after it, it goes the same way.
        run.epochs(4);
        const Checkpoint expected = run.trainer.save();
        CHECK(expected.header.at("restart") == 2 * run.trainer.steps_per_epoch());
        Run resumed(backend, options, 99);
        resumed.trainer.restore(reached, "reached");
        resumed.trainer.finish_epoch([&] { return resumed.trainer.step() < 2; });
        const Checkpoint midst = resumed.trainer.save();
        Run again(backend, options, 98);
        again.trainer.restore(midst, "midst");
        again.epochs(4);
        CHECK(again.trainer.save().values == expected.values);
    }
}

TEST_CASE("engine/learning_rate: what is no rate is refused") {
    CHECK_THROWS_WITH_AS(
        parse_learning_rate("fast"),
        "the learning rate is 'fast', expected a number above 0 as 1e-5, or rate:epochs from "
        "stage to stage as 1e-3:40,1e-4:20,1e-5:20",
        InputError);
    for (const std::string bad : {"",
                                  "0",
                                  "-1e-3",
                                  "nan",
                                  "inf",
                                  "1e-3x",
                                  " 1e-3",
                                  "1e-3 ",
                                  "1e999",
                                  "1e-3:",
                                  ":5",
                                  "1e-3:0",
                                  "1e-3:-1",
                                  "1e-3:2.5",
                                  "1e-3:5x",
                                  "1e-3:5:5",
                                  ",",
                                  "1e-3,",
                                  ",1e-3",
                                  "1e-3,1e-4",
                                  "1e-3:5,",
                                  "1e-3:5,,1:5",
                                  "1e-3:5,1e-4",
                                  "1e-4,1e-3:5",
                                  "1e-3:5,0:5",
                                  "1e-3:5,x:5",
                                  "1e-3:99999999999999999999"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(parse_learning_rate(bad), InputError);
    }
}

TEST_CASE("engine/trainer: each stage's learning rate is in effect from its first epoch on") {
    for (const TestedBackend& tested : backends_present()) {
        CAPTURE(tested.name);
        Backend& backend = *tested.backend;
        Run staged(backend, parse_learning_rate("1e-2:2,1e-3:2"));
        Run first(backend, 1e-2), second(backend, 1e-3, 99);
        first.epochs(2);
        second.trainer.restore(first.trainer.save(), "checkpoint");
        staged.epochs(2);
        CHECK(staged.trainer.save().values == first.trainer.save().values);
        for (const std::int64_t epoch : {3, 4}) {
            CAPTURE(epoch);
            staged.epochs(epoch);
            second.epochs(epoch);
            first.epochs(epoch);
            CHECK(staged.trainer.save().values == second.trainer.save().values);
            CHECK(staged.trainer.save().values != first.trainer.save().values);
        }
        CHECK_THROWS_AS(staged.trainer.finish_epoch([] { return true; }), InputError);  // no rate for it
    }
}

TEST_CASE("engine/trainer: a run resumed within a stage goes on at its learning rate") {
    for (const TestedBackend& tested : backends_present()) {
        CAPTURE(tested.name);
        const LearningRateSchedule schedule = parse_learning_rate("1e-2:1,1e-3:1,1e-4:1");
        Run whole(*tested.backend, schedule);
        whole.epochs(3);
        for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
            CAPTURE(epoch);
            Run interrupted(*tested.backend, schedule), resumed(*tested.backend, schedule, 99);
            interrupted.epochs(epoch);
            REQUIRE_FALSE(interrupted.trainer.finish_epoch([&] { return interrupted.trainer.step() < 2; }));
            resumed.trainer.restore(interrupted.trainer.save(), "checkpoint");
            resumed.epochs(3);
            CHECK(resumed.trainer.save().values == whole.trainer.save().values);
        }
    }
}
