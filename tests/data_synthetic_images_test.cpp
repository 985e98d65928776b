#include <doctest/doctest.h>
#include <omp.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "common/error.h"
#include "data/synthetic_images.h"

using namespace deepfreq;

namespace {

std::vector<std::uint8_t> beginning(const std::vector<std::uint8_t>& bytes, std::size_t count) {
    return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count)};
}

// How much the green values of an image change along (dx, dy) on average, squared.
double change(const ImageSet& set, std::int64_t image, std::int64_t dx, std::int64_t dy) {
    const auto value = [&](std::int64_t x, std::int64_t y) {
        return static_cast<double>(set.pixels[image * 3072 + (y * 32 + x) * 3 + 1]) / 255.0;
    };
    double sum = 0.0;
    for (std::int64_t y = 3; y < 29; ++y)
        for (std::int64_t x = 3; x < 29; ++x) sum += std::pow(value(x + dx, y + dy) - value(x, y), 2.0);
    return sum;
}

}  // namespace

TEST_CASE("data/synthetic_images: a seed gives the same images everywhere, another seed others") {
    const ImageSets once = synthetic_images({.train = 1000, .test = 100, .seed = 7});
    const ImageSets again = synthetic_images({.train = 1000, .test = 100, .seed = 7});
    CHECK(once.train.pixels == again.train.pixels);
    CHECK(once.train.labels == again.train.labels);
    CHECK(once.source == "synthetic images made by deepfreq, seed 7");
    // Made once and kept: another compiler or processor must draw the very same bytes.
    CHECK(once.train.checksum == "bc2de4eb6e0a6c082fd73c138b960f7f, 909049e2ca4208bd2650e63f3afe0f78");
    CHECK(synthetic_images({.train = 1000, .test = 100, .seed = 8}).train.pixels != once.train.pixels);
}

TEST_CASE(
    "data/synthetic_images: a shorter set is the beginning of a longer one, the test images are apart") {
    const ImageSets shorter = synthetic_images({.train = 50, .test = 20});
    const ImageSets longer = synthetic_images({.train = 80, .test = 30});
    CHECK(shorter.train.pixels == beginning(longer.train.pixels, 50 * 3072));
    CHECK(shorter.test.pixels == beginning(longer.test.pixels, 20 * 3072));
    CHECK(beginning(shorter.train.pixels, 20 * 3072) != shorter.test.pixels);
}

TEST_CASE("data/synthetic_images: one thread and two draw the same") {
    const int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    const ImageSets one = synthetic_images({.train = 500, .test = 51});
    omp_set_num_threads(2);
    const ImageSets two = synthetic_images({.train = 500, .test = 51});
    omp_set_num_threads(threads);
    CHECK(one.train.pixels == two.train.pixels);
    CHECK(one.test.pixels == two.test.pixels);
}

TEST_CASE("data/synthetic_images: ten classes in turn, of 32x32x3") {
    const ImageSets images = synthetic_images({.train = 25, .test = 11});
    CHECK(images.train.height == 32);
    CHECK(images.train.width == 32);
    CHECK(images.train.channels == 3);
    CHECK(images.train.classes.size() == 10);
    CHECK(images.train.pixels.size() == 25 * 3072);
    CHECK(images.test.samples() == 11);
    for (std::size_t i = 0; i < 25; ++i) CHECK(images.train.labels[i] == i % 10);
}

TEST_CASE("data/synthetic_images: no value by itself tells a class") {
    constexpr std::int64_t per_class = 500;
    const ImageSet set = synthetic_images({.train = 10 * per_class, .test = 1}).train;
    // A value has mean 1/2, by the symmetry of the colours, and a standard deviation below 0.36 (that of any
    // value in [0, 1] is at most 0.5): six of the mean's.
    const double most = 6.0 * 0.36 / std::sqrt(static_cast<double>(per_class));
    for (std::int64_t c = 0; c < 10; ++c)
        for (std::int64_t j = 0; j < 3072; ++j) {
            double sum = 0.0;
            for (std::int64_t k = 0; k < per_class; ++k) sum += set.pixels[(10 * k + c) * 3072 + j] / 255.0;
            const double distance = std::abs(sum / static_cast<double>(per_class) - 0.5);
            if (distance > most) FAIL_CHECK("class ", c, " value ", j, ": mean off by ", distance);
        }
}

TEST_CASE("data/synthetic_images: stripes change across themselves, in the direction their class says") {
    constexpr std::int64_t per_class = 100;
    const ImageSet set = synthetic_images({.train = 10 * per_class, .test = 1}).train;
    // Across: down, to the right, and along the two diagonals.
    constexpr std::array<std::array<std::int64_t, 2>, 4> across = {{{0, 2}, {2, 0}, {2, 2}, {2, -2}}};
    constexpr std::array<std::array<std::int64_t, 2>, 4> along = {{{2, 0}, {0, 2}, {2, -2}, {2, 2}}};
    for (std::size_t c = 0; c < 4; ++c) {
        std::int64_t told = 0;
        for (std::int64_t k = 0; k < per_class; ++k) {
            const std::int64_t image = 10 * k + static_cast<std::int64_t>(c);
            told +=
                change(set, image, across[c][0], across[c][1]) > change(set, image, along[c][0], along[c][1]);
        }
        CAPTURE(set.classes[c]);
        CHECK(told >= 90);  // a few have a green that hardly differs, or much noise
    }
}

TEST_CASE("data/synthetic_images: nonsense counts are refused") {
    CHECK_THROWS_WITH_AS(synthetic_images({.train = 0}),
                         "synthetic images: 0 samples were asked for, 1 to 2147483648 expected", InputError);
    CHECK_THROWS_AS(synthetic_images({.train = 1, .test = -1}), InputError);
}
