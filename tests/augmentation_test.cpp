#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "common/error.h"
#include "engine/checkpoint.h"
#include "engine/trainer.h"
#include "tests/backends.h"
#include "tests/checks.h"
#include "tests/engine_fixtures.h"

namespace deepfreq::tests {
namespace {

constexpr std::int64_t images = 40, height = 5, width = 6;

Floats numbered_pixels() {
    Floats pixels(images * height * width);
    std::iota(pixels.begin(), pixels.end(), 1.0F);
    return pixels;
}

/// All images, in their order, as the update after `update` others sees them.
std::vector<double> batch_of(Backend& backend, const AugmentParams& params, std::int64_t update) {
    const Shape shape{images, height, width, 1};
    const auto call = [&](Backend& k, Stage& stage) {
        std::vector<std::int32_t> order(images);
        std::iota(order.begin(), order.end(), 0);
        const ConstTensor source = stage.input(shape, numbered_pixels());
        const auto permutation = stage.input({images}, order);
        const auto state = stage.input<StepState>({1}, {{.update = update}});
        k(GatherAugmentedImages{.source = source,
                                .permutation = permutation,
                                .state = state,
                                .params = params,
                                .batch = stage.overwritten("batch", shape)});
    };
    return outputs_of({call, {}}, backend).front().values;
}

TEST_CASE("kernels: augmentation without a change leaves images as they are") {
    for (const TestedBackend& tested : backends_present())
        CHECK(batch_of(*tested.backend, {}, 3) == widened(numbered_pixels()));
}

TEST_CASE("kernels: about half of the images are mirrored by flip") {
    const Floats source = numbered_pixels();
    for (const TestedBackend& tested : backends_present()) {
        const auto flipped = batch_of(*tested.backend, {.flip = true}, 3);
        int mirrored = 0;
        for (std::int64_t i = 0; i < images * height * width; i += height * width)
            if (flipped[i] != source[i]) {
                ++mirrored;
                for (std::int64_t s = 0; s < width; ++s) CHECK(flipped[i + s] == source[i + width - 1 - s]);
            }
        // Of 40 fair coins, fewer than 8 or more than 32 fall on one side once in 10000 seeds.
        CHECK(mirrored >= 8);
        CHECK(mirrored <= 32);
    }
}

TEST_CASE("kernels: crops differ from image to image, update to update and seed to seed") {
    for (const TestedBackend& tested : backends_present()) {
        const auto moved = batch_of(*tested.backend, {.crop = 2}, 3);
        CHECK(std::count(moved.begin(), moved.end(), 0.0) > 0);
        CHECK(moved == batch_of(*tested.backend, {.crop = 2}, 3));
        CHECK(moved != batch_of(*tested.backend, {.crop = 2}, 4));
        CHECK(moved != batch_of(*tested.backend, {.crop = 2, .seed = 1}, 3));
        std::vector<double> corners;
        for (std::int64_t i = 0; i < images; ++i)
            corners.push_back(moved[i * height * width + 2 * width + 2] -
                              static_cast<double>(i * height * width));
        std::ranges::sort(corners);
        CHECK(std::unique(corners.begin(), corners.end()) - corners.begin() > 10);
    }
}

Dataset small_images() {
    Dataset data = labelled_points(23, 12, 3);
    data.height = 4;
    data.width = 3;
    data.channels = 1;
    return data;
}

/// An MLP that learns images from augmented batches of 5.
struct Run {
    Run(Backend& backend, const AugmentParams& augment, const Dataset& data = small_images(),
        std::uint64_t weights_seed = 1)
        : set(backend, data),
          network(backend, mlp({.inputs = 12, .hidden = {7}, .outputs = 3}), 5),
          trainer(backend, network, set, {.learning_rate = 1e-2, .augment = augment}) {
        network.initialize({}, weights_seed);
    }

    std::vector<float> after(std::int64_t epochs) {
        while (trainer.epoch() < epochs) REQUIRE(trainer.finish_epoch([] { return true; }));
        return trainer.save().values;
    }

    DeviceDataset set;
    Network network;
    Trainer trainer;
};

TEST_CASE("engine/trainer: an augmented run resumed at any step ends bit for bit as the whole one") {
    constexpr AugmentParams augment{.flip = true, .crop = 1, .seed = 3};
    for (const TestedBackend& tested : backends_present()) {
        const auto whole = Run(*tested.backend, augment).after(3);
        CHECK(whole != Run(*tested.backend, {}).after(3));
        for (std::int64_t steps = 1; steps < 5; ++steps) {
            Run interrupted(*tested.backend, augment);
            Run resumed(*tested.backend, augment, small_images(), 99);
            interrupted.after(1);
            interrupted.trainer.finish_epoch([&] { return interrupted.trainer.step() < steps; });
            resumed.trainer.restore(interrupted.trainer.save(), "checkpoint");
            CHECK(resumed.after(3) == whole);
        }
    }
}

TEST_CASE("engine/trainer: what is no image, or smaller than the crop, cannot be augmented") {
    Backend& backend = *backends_present().front().backend;
    const Dataset points = labelled_points(23, 12, 3);
    CHECK_THROWS_WITH_AS(Run(backend, {.flip = true}, points), doctest::Contains("no images"), InputError);
    CHECK_NOTHROW(Run(backend, {}, points));
    CHECK_THROWS_WITH_AS(Run(backend, {.crop = 3}), doctest::Contains("4 x 3"), InputError);
}

}  // namespace
}  // namespace deepfreq::tests
