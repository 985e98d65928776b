// Training on images: what networks with running statistics save, restore and capture.
#include <doctest/doctest.h>

#include "engine/checkpoint.h"
#include "engine/layers/convolution.h"
#include "engine/layers/dense.h"
#include "engine/layers/pooling.h"
#include "engine/layers/residual_block.h"
#include "engine/trainer.h"
#include "tests/backends.h"
#include "tests/engine_fixtures.h"

using namespace deepfreq;
using namespace deepfreq::tests;

namespace {

constexpr std::int64_t rows = 5;
constexpr std::int32_t classes = 3;
constexpr ImageShape image{6, 4, 2};

/// A stem, a block with a projection, an average over 3 × 1, a dense layer.
std::vector<std::unique_ptr<Layer>> image_layers() {
    auto stem = std::make_unique<ConvolutionUnit>(image, ConvolutionSize{3, 3, 1});
    auto block = std::make_unique<ResidualBlock>(stem->output_shape(),
                                                 ResidualBlockParams{.channels = 4, .stride = 2});
    auto pooling = std::make_unique<AveragePooling>(block->output_shape(), 3, 1);
    auto head = std::make_unique<Dense>(pooling->outputs(), classes, Activation::Identity);
    std::vector<std::unique_ptr<Layer>> layers;
    layers.push_back(std::move(stem));
    layers.push_back(std::move(block));
    layers.push_back(std::move(pooling));
    layers.push_back(std::move(head));
    return layers;
}

/// Data, network and trainer of one small run: 13 images in batches of 5, the last of 3.
struct Run {
    Run(Backend& backend_, std::uint64_t weights_seed, bool captured = true)
        : backend(backend_),
          set(backend, labelled_points(13, image.elements(), classes)),
          network(backend, image_layers(), rows),
          trainer(backend, network, set,
                  {.loss = Loss::SoftmaxCrossEntropy,
                   .learning_rate = 1e-2,
                   .adam = {},
                   .seed = 7,
                   .capture_steps = captured}) {
        network.initialize({Initializer::Kind::He}, weights_seed);
    }

    void epochs(std::int64_t until) {
        while (trainer.epoch() < until) REQUIRE(trainer.finish_epoch([] { return true; }));
    }

    Backend& backend;
    DeviceDataset set;
    Network network;
    Trainer trainer;
};

}  // namespace

TEST_CASE("engine/network: running statistics begin at mean 0 and variance 1") {
    for (const TestedBackend& tested : backends_present()) {
        Run run(*tested.backend, 1);
        const std::vector<float> fresh = on_host(*tested.backend, run.network.state());
        const auto places = state_places(image_layers());
        REQUIRE(places.size() == 8);
        for (std::size_t i = 0; i < places.size(); ++i)
            for (std::size_t k = 0; k < places[i].count; ++k)
                CHECK(fresh[places[i].offset + k] == (i % 2 == 0 ? 0.0F : 1.0F));
        run.epochs(1);
        CHECK(on_host(*tested.backend, run.network.state()) != fresh);
        run.network.initialize({Initializer::Kind::He}, 1);
        CHECK(on_host(*tested.backend, run.network.state()) == fresh);
    }
}

TEST_CASE(
    "engine/trainer: with running statistics, a run resumed at any step ends bit for bit as the whole one") {
    for (const TestedBackend& tested : backends_present()) {
        CAPTURE(tested.name);
        Run whole(*tested.backend, 1);
        whole.epochs(3);
        const Checkpoint expected = whole.trainer.save();
        for (std::int64_t steps = 1; steps <= whole.trainer.steps_per_epoch(); ++steps) {
            CAPTURE(steps);
            Run interrupted(*tested.backend, 1), resumed(*tested.backend, 99);
            interrupted.epochs(1);
            interrupted.trainer.finish_epoch([&] { return interrupted.trainer.step() < steps; });
            const Checkpoint checkpoint = interrupted.trainer.save();
            const Evaluation then = interrupted.trainer.evaluate(interrupted.set);
            interrupted.epochs(3);
            resumed.epochs(1);
            for (Run* const run : {&resumed, &interrupted}) {  // another run, and the same one set back
                run->trainer.restore(checkpoint, "checkpoint");
                CHECK(run->trainer.save().values == checkpoint.values);
                CHECK(run->trainer.evaluate(run->set).loss ==
                      then.loss);  // which goes by the running statistics
                run->epochs(3);
                CHECK(run->trainer.save().values == expected.values);
            }
        }
        Checkpoint without_state = expected;
        std::size_t statistics = 0;
        for (const NamedTensor& tensor : whole.network.named_state()) {
            CHECK(without_state.tensors.back().name.find(".running_") != std::string::npos);
            without_state.tensors.pop_back();
            statistics += static_cast<std::size_t>(tensor.view.elements());
        }
        CHECK(statistics > 0);
        without_state.values.resize(expected.values.size() - statistics);
        CHECK_THROWS_AS(whole.trainer.restore(without_state, "checkpoint"), InputError);
    }
}

TEST_CASE("engine/trainer: steps on images give the same bits captured or not, and learn") {
    for (const TestedBackend& tested : backends_present()) {
        CAPTURE(tested.name);
        Run captured(*tested.backend, 1), queued(*tested.backend, 1, false);
        captured.epochs(3);
        queued.epochs(3);
        CHECK(captured.trainer.save().values == queued.trainer.save().values);
        captured.epochs(40);
        CHECK(captured.trainer.evaluate(captured.set).accuracy == 1.0);
    }
}
