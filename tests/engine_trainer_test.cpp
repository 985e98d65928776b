#include "engine/trainer.h"

#include <doctest/doctest.h>

#include <limits>
#include <optional>
#include <set>

#include "engine/checkpoint.h"
#include "tests/backends.h"
#include "tests/engine_fixtures.h"
#include "tests/files.h"

using namespace deepfreq;
using namespace deepfreq::tests;

namespace {

MlpParams small_mlp(Activation activation = Activation::Tanh) {
    return {6, {8, 5}, 3, activation};
}

/// Network, data and trainer of one small run: 23 samples in batches of 5, the last of 3.
struct Run {
    explicit Run(Backend& backend_,
                 const TrainerOptions& options = {.learning_rate = 1e-2, .adam = {}, .seed = 7},
                 std::uint64_t weights_seed = 1, Dataset data_ = labelled_points(23, 6, 3),
                 Activation activation = Activation::Tanh)
        : backend(backend_),
          data(std::move(data_)),
          set(backend, data),
          network(backend, mlp(small_mlp(activation)), 5),
          trainer(backend, network, set, options) {
        network.initialize({}, weights_seed);
    }

    void epochs(std::int64_t until) {
        while (trainer.epoch() < until) REQUIRE(trainer.finish_epoch([] { return true; }));
    }

    Backend& backend;
    Dataset data;
    DeviceDataset set;
    Network network;
    Trainer trainer;
};

Bytes saved(Trainer& trainer, const std::filesystem::path& path) {
    write_checkpoint(path, trainer.save());
    return read_file(path);
}

Evaluation naive_evaluation(const Run& run, Loss loss) {
    const auto w = in_double(on_host(run.backend, run.network.parameters()));
    const auto p = mlp_activations(small_mlp(), w, in_double(run.data.inputs)).back();
    const auto t = in_double(one_hot(run.data.labels, run.data.classes));
    return {mean_loss(loss, p, t, 3), static_cast<double>(reference::count_correct(p, run.data.labels, 3)) /
                                          static_cast<double>(run.data.samples)};
}

}  // namespace

TEST_CASE("engine/trainer: captured steps and steps queued one by one give the same bits") {
    for (const TestedBackend& tested : backends_present()) {
        CAPTURE(tested.name);
        const TemporaryFolder folder;
        std::vector<Bytes> results;
        for (const bool captured : {true, false}) {
            Run run(*tested.backend,
                    {.learning_rate = 1e-2, .adam = {}, .seed = 7, .capture_steps = captured});
            run.epochs(3);
            results.push_back(saved(run.trainer, folder.path / "checkpoint"));
        }
        CHECK(results[0] == results[1]);
    }
}

// Sample i is the i-th unit vector, so that column i of dw is sample i's share of the gradient; at learning
// rate 0 the weights stay, and every share is known beforehand.
TEST_CASE("engine/trainer: an epoch takes every sample once, in the drawn order, the last batch smaller") {
    for (const TestedBackend& tested : backends_present()) {
        CAPTURE(tested.name);
        Backend& backend = *tested.backend;
        constexpr std::int64_t n = 10, batch = 4, classes = 2;
        Dataset data;
        data.samples = data.features = n;
        data.classes = classes;
        data.inputs.assign(n * n, 0.0F);
        for (std::size_t i = 0; i < n; ++i) {
            data.inputs[i * n + i] = 1.0F;
            data.labels.push_back(static_cast<std::int32_t>(i % classes));
        }
        const std::vector<float> t = one_hot(data.labels, classes);
        const DeviceDataset set(backend, data);
        Network network(backend, mlp({n, {}, classes, Activation::Tanh}), batch);
        network.initialize({}, 3);
        const std::vector<float> w = on_host(backend, network.parameters());
        Trainer trainer(backend, network, set, {.learning_rate = 0.0, .adam = {}, .seed = 5});
        CHECK(trainer.steps_per_epoch() == 3);

        for (std::uint32_t epoch = 0; epoch < 3; ++epoch) {
            const std::vector<std::int32_t> order = reference::random_permutation(n, 5, epoch);
            REQUIRE(trainer.finish_epoch([&] {
                const std::int64_t first = (trainer.step() - 1) * batch, taken = std::min(batch, n - first);
                const std::vector<float> found = on_host(backend, network.gradients());
                std::vector<double> expected(found.size(), 0.0);
                for (std::int64_t row = first; row < first + taken; ++row) {
                    const auto i = static_cast<std::size_t>(order[static_cast<std::size_t>(row)]);
                    for (std::size_t c = 0; c < classes; ++c) {
                        const double difference = static_cast<double>(w[c * n + i]) - t[i * classes + c];
                        const double share = 2.0 * difference / static_cast<double>(taken * classes);
                        expected[c * n + i] += share;
                        expected[parameter_places(mlp({n, {}, classes, Activation::Tanh}))[1].offset + c] +=
                            share;
                    }
                }
                CHECK(relative_difference(found, expected) < 1e-6);
                return true;
            }));
            CHECK(std::set(order.begin(), order.end()).size() == n);
            CHECK(trainer.epoch() == epoch + 1);
            CHECK(trainer.step() == 0);
        }
        CHECK(on_host(backend, network.parameters()) == w);
    }
}

TEST_CASE("engine/trainer: the loss of a small separable problem falls until all is classified right") {
    for (const TestedBackend& tested : backends_present())
        for (const Loss loss : {Loss::MeanSquaredError, Loss::SoftmaxCrossEntropy}) {
            CAPTURE(tested.name);
            CAPTURE(loss_name(loss));
            Run run(*tested.backend, {.loss = loss, .learning_rate = 1e-2, .adam = {}, .seed = 7});
            const Evaluation before = run.trainer.evaluate(run.set);
            run.epochs(60);
            const Evaluation after = run.trainer.evaluate(run.set);
            CHECK(after.loss < 0.1 * before.loss);
            CHECK(after.accuracy == 1.0);
        }
}

TEST_CASE("engine/trainer: evaluate is the network in double over the whole set") {
    for (const TestedBackend& tested : backends_present())
        for (const Loss loss : {Loss::MeanSquaredError, Loss::SoftmaxCrossEntropy}) {
            CAPTURE(tested.name);
            CAPTURE(loss_name(loss));
            Run run(*tested.backend, {.loss = loss, .learning_rate = 1e-3, .adam = {}});
            run.epochs(1);
            const Evaluation found = run.trainer.evaluate(run.set), expected = naive_evaluation(run, loss);
            CHECK(found.loss == doctest::Approx(expected.loss).epsilon(1e-6));
            CHECK(found.accuracy == expected.accuracy);
            CHECK(found.accuracy < 1.0);  // some samples count and some do not
            const auto w = on_host(run.backend, run.network.parameters());
            CHECK(run.trainer.evaluate(run.set).loss == found.loss);
            CHECK(on_host(run.backend, run.network.parameters()) == w);
        }
}

TEST_CASE("engine/trainer: a function is fitted to its own values, with no labels and no accuracy") {
    const RegressionSet function = sample_cos3_plus_cos5({23, -1.0, 1.0});
    for (const TestedBackend& tested : backends_present()) {
        CAPTURE(tested.name);
        Backend& backend = *tested.backend;
        const DeviceDataset set(backend, function);
        CHECK(on_host(backend, set.inputs()) == function.inputs);
        CHECK(on_host(backend, set.targets()) == function.targets);
        CHECK(set.targets().shape == Shape{23, 1});
        CHECK_FALSE(set.labels());

        const MlpParams params{1, {20, 20}, 1, Activation::Tanh};
        Network network(backend, mlp(params), 5);
        network.initialize({}, 1);
        Trainer trainer(backend, network, set, {.learning_rate = 1e-2, .adam = {}, .seed = 7});
        const auto expected_loss = [&] {
            const auto w = in_double(on_host(backend, network.parameters()));
            const auto p = mlp_activations(params, w, in_double(function.inputs)).back();
            return mean_loss(Loss::MeanSquaredError, p, in_double(function.targets), 1);
        };
        const Evaluation before = trainer.evaluate(set);
        CHECK(before.loss == doctest::Approx(expected_loss()).epsilon(1e-6));
        CHECK(std::isnan(before.accuracy));
        while (trainer.epoch() < 100) REQUIRE(trainer.finish_epoch([] { return true; }));
        const Evaluation after = trainer.evaluate(set);
        CHECK(after.loss == doctest::Approx(expected_loss()).epsilon(1e-5));
        CHECK(after.loss < 0.1 * before.loss);
    }
}

TEST_CASE("engine/trainer: equal seeds give equal runs, bit for bit, and another seed another order") {
    const TemporaryFolder folder;
    for (const TestedBackend& tested : backends_present()) {
        const TrainerOptions other{.learning_rate = 1e-2, .adam = {}, .seed = 8};
        Run a(*tested.backend), b(*tested.backend), c(*tested.backend, other);
        for (Run* const run : {&a, &b, &c}) run->epochs(3);
        CHECK(saved(a.trainer, folder.path / "a") == saved(b.trainer, folder.path / "b"));
        CHECK(saved(a.trainer, folder.path / "a") != saved(c.trainer, folder.path / "c"));
    }
}

TEST_CASE(
    "engine/trainer: a run interrupted at any step and resumed ends bit for bit as if it had not been") {
    const TemporaryFolder folder;
    for (const TestedBackend& tested : backends_present()) {
        CAPTURE(tested.name);
        Run whole(*tested.backend);
        whole.epochs(4);
        const Bytes expected = saved(whole.trainer, folder.path / "whole");
        for (std::int64_t steps = 0; steps <= whole.trainer.steps_per_epoch(); ++steps) {
            CAPTURE(steps);
            const std::filesystem::path checkpoint = folder.path / "checkpoint";
            Run interrupted(*tested.backend);
            interrupted.epochs(1);
            if (steps > 0)
                CHECK(interrupted.trainer.finish_epoch([&] { return interrupted.trainer.step() < steps; }) ==
                      (steps == whole.trainer.steps_per_epoch()));
            CHECK(interrupted.trainer.step() == steps % whole.trainer.steps_per_epoch());
            interrupted.trainer.evaluate(interrupted.set);  // between two steps; leaves no trace
            write_checkpoint(checkpoint, interrupted.trainer.save());

            Run resumed(*tested.backend, {.learning_rate = 1e-2, .adam = {}, .seed = 7}, 99);
            resumed.trainer.restore(read_checkpoint(checkpoint), checkpoint);
            CHECK(resumed.trainer.step() == interrupted.trainer.step());
            CHECK(saved(resumed.trainer, folder.path / "resumed") == read_file(checkpoint));
            resumed.epochs(4);
            CHECK(saved(resumed.trainer, folder.path / "resumed") == expected);

            interrupted.epochs(4);  // the run that was merely paused goes on as well
            CHECK(saved(interrupted.trainer, folder.path / "paused") == expected);
        }
    }
}

TEST_CASE("engine/trainer: a loss that is not finite ends the run, naming epoch and step") {
    for (const TestedBackend& tested : backends_present()) {
        CAPTURE(tested.name);
        Dataset data = labelled_points(23, 6, 3);
        data.inputs[11 * 6 + 2] = std::numeric_limits<float>::quiet_NaN();
        const auto order = reference::random_permutation(23, 7, 0);
        const auto place = std::ranges::find(order, 11) - order.begin();
        Run run(*tested.backend, {.learning_rate = 1e-2, .adam = {}, .seed = 7}, 1, data);
        std::string message;
        try {
            run.trainer.finish_epoch([] { return true; });
        } catch (const RunError& error) {
            message = error.what();
        }
        CHECK(contains(message, "the loss became"));
        CHECK(contains(message, "nan"));
        CHECK(contains(message, fmt::format("at epoch 1, step {} of 5", place / 5 + 1)));
    }
}

TEST_CASE("engine/trainer: a learning rate that blows the network up ends the run, paused or not") {
    for (const TestedBackend& tested : backends_present())
        for (const std::int64_t last : {2, 5}) {
            CAPTURE(tested.name);
            CAPTURE(last);
            Run run(*tested.backend, {.learning_rate = 1e30, .adam = {}, .seed = 7}, 1,
                    labelled_points(23, 6, 3), Activation::Identity);
            std::string message;
            try {
                run.trainer.finish_epoch([&] { return run.trainer.step() < last; });
            } catch (const RunError& error) {
                message = error.what();
            }
            CHECK(contains(message, "at epoch 1, step 2 of 5"));
        }
}

TEST_CASE("engine/trainer: a network that does not fit the data is refused") {
    for (const TestedBackend& tested : backends_present()) {
        Backend& backend = *tested.backend;
        const DeviceDataset set(backend, labelled_points(8, 6, 3));
        Network narrow(backend, mlp({5, {4}, 3, Activation::Tanh}), 4);
        Network wide(backend, mlp({6, {4}, 4, Activation::Tanh}), 4);
        CHECK_THROWS_WITH_AS(Trainer(backend, narrow, set, {}),
                             "the network maps 5 inputs to 3 outputs, the data set expects 6 to 3",
                             InputError);
        CHECK_THROWS_AS(Trainer(backend, wide, set, {}), InputError);
    }
}

TEST_CASE("engine/trainer: the checkpoint of another network is refused, and changes nothing") {
    for (const TestedBackend& tested : backends_present()) {
        Run run(*tested.backend);
        run.epochs(1);
        Network other(*tested.backend, mlp({6, {8, 5}, 3, Activation::Relu}), 5);
        Trainer other_trainer(*tested.backend, other, run.set, {});
        const Checkpoint before = run.trainer.save();
        CHECK_THROWS_WITH_AS(
            run.trainer.restore(other_trainer.save(), "runs/x/checkpoint"),
            "runs/x/checkpoint: checkpoint of network 'dense 6-8 relu | dense 8-5 relu | dense "
            "5-3 identity', expected 'dense 6-8 tanh | dense 8-5 tanh | dense 5-3 identity'",
            InputError);
        const auto refused = [&](const auto& change) {
            Checkpoint changed = before;
            change(changed);
            try {
                run.trainer.restore(changed, "runs/x/checkpoint");
                return std::string("nothing");
            } catch (const InputError& error) {
                return std::string(error.what());
            }
        };
        const std::string holds = "runs/x/checkpoint: checkpoint holds ";
        CHECK(refused([](Checkpoint& c) { c.values.pop_back(); }) ==
              holds + "18 tensors and 356 values, expected 18 and 357");
        CHECK(refused([](Checkpoint& c) { c.tensors.pop_back(); }) ==
              holds + "no more tensors, expected 'adam.v.layers.3.bias' [3]");
        CHECK(refused([](Checkpoint& c) {
                  c.tensors[0].shape = {6, 8};
              }) == holds + "'layers.1.weight' [6, 8], expected 'layers.1.weight' [8, 6]");
        CHECK(refused([](Checkpoint& c) {
                  c.tensors.push_back({"more", {}});
              }) == holds + "19 tensors and 357 values, expected 18 and 357");
        CHECK(run.trainer.save().header == before.header);
        CHECK(run.trainer.save().values == before.values);
    }
}
