#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <tuple>

#include "common/error.h"
#include "data/split.h"

using namespace deepfreq;

namespace {

const std::vector<std::string> three = {"a", "b", "c"};

// Labels with that many samples of each class, in turn as long as a class has any.
std::vector<std::uint8_t> labels_of(std::vector<std::int64_t> counts) {
    std::vector<std::uint8_t> labels;
    while (std::ranges::any_of(counts, [](std::int64_t count) { return count > 0; }))
        for (std::size_t c = 0; c < counts.size(); ++c)
            if (counts[c]-- > 0) labels.push_back(static_cast<std::uint8_t>(c));
    return labels;
}

std::vector<std::int64_t> class_counts(const std::vector<std::uint8_t>& labels,
                                       const std::vector<std::int64_t>& rows, std::size_t classes) {
    std::vector<std::int64_t> counts(classes);
    for (const std::int64_t row : rows) ++counts[labels[row]];
    return counts;
}

bool even(const std::vector<std::int64_t>& counts) {
    return *std::ranges::max_element(counts) - *std::ranges::min_element(counts) <= 1;
}

// n images of 2x3 pixels of two channels, of three classes in turn: channel 0 is always 9.
ImageSet some_images(std::int64_t n) {
    ImageSet images{.name = "some",
                    .height = 2,
                    .width = 3,
                    .channels = 2,
                    .classes = three,
                    .pixels = {},
                    .labels = labels_of({(n + 2) / 3, (n + 1) / 3, n / 3}),
                    .checksum = "sum"};
    for (std::int64_t k = 0; k < 6 * n; ++k) {
        images.pixels.push_back(9);
        images.pixels.push_back(static_cast<std::uint8_t>(k * k % 251));
    }
    return images;
}

}  // namespace

TEST_CASE("data/split: both sets as large as asked, disjoint, in balance") {
    for (const auto& [counts, train, validation] :
         {std::tuple(std::vector<std::int64_t>{50, 50, 50}, 100, 50),
          std::tuple(std::vector<std::int64_t>{50, 50, 50}, 71, 31),
          std::tuple(std::vector<std::int64_t>{50, 20, 80}, 31, 26),
          std::tuple(std::vector<std::int64_t>{4, 5, 5}, 7, 7),
          std::tuple(std::vector<std::int64_t>{9, 9, 9}, 1, 1)}) {
        const auto labels = labels_of(counts);
        const Split split = draw_split("set", three, labels, {.train = train, .validation = validation});
        CHECK(std::ssize(split.train) == train);
        CHECK(std::ssize(split.validation) == validation);
        CHECK(even(class_counts(labels, split.train, 3)));
        CHECK(even(class_counts(labels, split.validation, 3)));
        std::set<std::int64_t> seen(split.train.begin(), split.train.end());
        seen.insert(split.validation.begin(), split.validation.end());
        CHECK(std::ssize(seen) == train + validation);
        CHECK(*seen.begin() >= 0);
        CHECK(*seen.rbegin() < std::ssize(labels));
    }
}

TEST_CASE("data/split: a seed gives one order, another seed another") {
    const auto labels = labels_of({60, 60, 60});
    const auto split = [&](std::int64_t train, std::uint64_t seed) {
        return draw_split("set", three, labels, {.train = train, .validation = 40, .seed = seed});
    };
    const Split once = split(100, 1);
    CHECK(once.train == split(100, 1).train);
    CHECK(once.validation == split(100, 1).validation);
    CHECK(once.train != split(100, 2).train);
    CHECK(once.validation != split(100, 2).validation);
    CHECK(once.validation == split(7, 1).validation);  // whatever is trained on
    CHECK_FALSE(std::ranges::is_sorted(once.train));
    CHECK_FALSE(std::ranges::is_sorted(once.validation));
    // Neither in the order of their classes: 100 labels in runs would have two changes, shuffled about 66.
    std::int64_t changes = 0;
    for (std::size_t i = 1; i < once.train.size(); ++i)
        changes += labels[once.train[i]] != labels[once.train[i - 1]];
    CHECK(changes > 45);
}

TEST_CASE("data/split: fewer samples than asked, of all or of a class, are refused") {
    const auto labels = labels_of({10, 10, 4});
    const auto check_refused = [&](std::int64_t train, std::int64_t validation, const char* sentence) {
        CHECK_THROWS_WITH_AS(draw_split("set", three, labels, {.train = train, .validation = validation}),
                             sentence, InputError);
    };
    check_refused(25, 1, "set: 25 samples were asked for, 1 to 24 expected (all there are)");
    check_refused(1, 25, "set: 25 samples were asked for, 1 to 24 expected (all there are)");
    check_refused(0, 1, "set: 0 samples were asked for, 1 to 24 expected (all there are)");
    check_refused(1, -1, "set: -1 samples were asked for, 1 to 24 expected (all there are)");
    check_refused(20, 5,
                  "set: 20 training and 5 validation samples were asked for, at most 24 together expected");
    check_refused(9, 6,
                  "set: 4 samples of class c found, 5 expected for 9 training and 6 validation samples of 3 "
                  "classes in balance");
    CHECK(draw_split("set", three, labels, {.train = 9, .validation = 5}).train.size() == 9);
}

TEST_CASE("data/images: each channel's mean and deviation, as naive sums have them") {
    const ImageSet images = some_images(40);
    const std::vector<std::int64_t> rows = {3, 17, 0, 39, 21};
    const ChannelScaling scaling = channel_scaling(images, rows);
    double mean = 0.0;
    double square = 0.0;
    for (const std::int64_t row : rows)
        for (std::int64_t j = 1; j < 12; j += 2) mean += images.pixels[row * 12 + j] / 255.0 / 30.0;
    for (const std::int64_t row : rows)
        for (std::int64_t j = 1; j < 12; j += 2)
            square += std::pow(images.pixels[row * 12 + j] / 255.0 - mean, 2.0);
    CHECK(scaling.mean == std::vector<double>{9.0 / 255.0, scaling.mean[1]});
    CHECK(scaling.mean[1] == doctest::Approx(mean).epsilon(1e-13));
    CHECK(scaling.deviation[0] == 1.0);  // constant
    CHECK(scaling.deviation[1] == doctest::Approx(std::sqrt(square / 30.0)).epsilon(1e-13));
}

TEST_CASE("data/images: a set of floats from chosen images") {
    const ImageSet images = some_images(7);
    const std::vector<std::int64_t> rows = {5, 0};
    const Dataset plain = to_dataset(images, rows, no_scaling(images));
    CHECK(plain.name == "some");
    CHECK(plain.checksum == "sum");
    CHECK(plain.samples == 2);
    CHECK(plain.features == 12);
    CHECK(plain.height == 2);
    CHECK(plain.width == 3);
    CHECK(plain.channels == 2);
    CHECK(plain.classes == 3);
    CHECK(plain.labels == std::vector<std::int32_t>{2, 0});
    REQUIRE(plain.inputs.size() == 24);
    for (std::size_t j = 0; j < 12; ++j) {
        CHECK(plain.inputs[j] == static_cast<float>(images.pixels[60 + j]) / 255.0F);
        CHECK(plain.inputs[12 + j] == static_cast<float>(images.pixels[j]) / 255.0F);
    }
    CHECK(plain.first(1).channels == 2);

    const Dataset scaled = to_dataset(images, rows, {.mean = {0.5, 0.25}, .deviation = {2.0, 0.125}});
    CHECK(scaled.inputs[0] == static_cast<float>((9.0 / 255.0 - 0.5) / 2.0));
    CHECK(scaled.inputs[3] == static_cast<float>((images.pixels[63] / 255.0 - 0.25) / 0.125));
}

TEST_CASE("data/split: training samples are scaled to mean 0 and deviation 1, validation samples alike") {
    const ImageSets images{some_images(90), {}, "made here"};
    const SplitOptions options{.train = 50, .validation = 20, .seed = 3};
    const ScaledSplit result = split_images(images, options);
    CHECK(result.sets.source == "made here");
    double sum = 0.0;
    double square = 0.0;
    for (std::size_t j = 0; j < result.sets.train.inputs.size(); j += 2) {
        CHECK(result.sets.train.inputs[j] == 0.0F);
        const double value = result.sets.train.inputs[j + 1];
        sum += value;
        square += value * value;
    }
    // 300 values of magnitude below 2, each rounded to a float.
    CHECK(std::abs(sum / 300.0) < 2e-7);
    CHECK(std::abs(square / 300.0 - 1.0) < 6e-7);

    const Split split = draw_split("some", three, images.train.labels, options);
    CHECK(result.sets.validation.inputs == to_dataset(images.train, split.validation, result.scaling).inputs);
    CHECK(result.scaling.mean == channel_scaling(images.train, split.train).mean);

    const ScaledSplit plain =
        split_images(images, {.train = 50, .validation = 20, .seed = 3, .scale = false});
    CHECK(plain.scaling.mean == std::vector<double>{0.0, 0.0});
    CHECK(plain.scaling.deviation == std::vector<double>{1.0, 1.0});
    CHECK(plain.sets.train.labels == result.sets.train.labels);
    CHECK(plain.sets.train.inputs[0] == 9.0F / 255.0F);
}
