#include <doctest/doctest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>

#include "common/error.h"
#include "data/synthetic_digits.h"

using namespace deepfreq;

TEST_CASE("data/synthetic_digits: a seed gives the same digits everywhere, another seed others") {
    const TrainValidation once = synthetic_digits({.train = 1000, .validation = 100, .seed = 7});
    const TrainValidation again = synthetic_digits({.train = 1000, .validation = 100, .seed = 7});
    CHECK(once.train.inputs == again.train.inputs);
    CHECK(once.train.labels == again.train.labels);
    CHECK(once.source == "synthetic digits made by deepfreq, seed 7");
    // Made once and kept: another compiler or processor must draw the very same bytes.
    CHECK(once.train.checksum == "fa1043d661ea3033fdc5a820870c3681, eb4ca8c34a26e41cf5f3297367694af7");

    const TrainValidation other = synthetic_digits({.train = 1000, .validation = 100, .seed = 8});
    CHECK(once.train.inputs != other.train.inputs);
    CHECK(once.train.checksum != other.train.checksum);
}

TEST_CASE("data/synthetic_digits: a shorter set is the beginning of a longer one, validation is apart") {
    const TrainValidation shorter = synthetic_digits({.train = 50, .validation = 20});
    const TrainValidation longer = synthetic_digits({.train = 80, .validation = 30});
    CHECK(shorter.train.inputs == longer.train.first(50).inputs);
    CHECK(shorter.validation.inputs == longer.validation.first(20).inputs);
    CHECK(shorter.train.first(20).inputs != shorter.validation.inputs);
}

TEST_CASE("data/synthetic_digits: one thread and two draw the same") {
    const int threads = omp_get_max_threads();
    omp_set_num_threads(1);
    const TrainValidation one = synthetic_digits({.train = 500, .validation = 51});
    omp_set_num_threads(2);
    const TrainValidation two = synthetic_digits({.train = 500, .validation = 51});
    omp_set_num_threads(threads);
    CHECK(one.train.inputs == two.train.inputs);
    CHECK(one.train.labels == two.train.labels);
    CHECK(one.validation.inputs == two.validation.inputs);
}

TEST_CASE("data/synthetic_digits: bytes in [0, 1], ten balanced classes") {
    const Dataset set = synthetic_digits({.train = 5000, .validation = 1}).train;
    CHECK(set.name == "synthetic digits");
    CHECK(set.samples == 5000);
    CHECK(set.features == 784);
    CHECK(set.classes == 10);
    REQUIRE(set.inputs.size() == 5000 * 784);
    CHECK(std::ranges::all_of(
        set.inputs, [](float x) { return x >= 0.0F && x <= 1.0F && std::round(255.0F * x) / 255.0F == x; }));
    CHECK(*std::ranges::max_element(set.inputs) == 1.0F);
    // 500 expected a class, standard deviation 21.
    for (std::int32_t digit = 0; digit < 10; ++digit) {
        const auto count = std::ranges::count(set.labels, digit);
        CHECK(count > 400);
        CHECK(count < 600);
    }
}

TEST_CASE("data/synthetic_digits: every sample has ink, none is flooded") {
    const Dataset set = synthetic_digits({.train = 2000, .validation = 1}).train;
    for (std::int64_t i = 0; i < set.samples; ++i) {
        const auto* image = set.inputs.data() + i * set.features;
        const auto inked = std::count_if(image, image + set.features, [](float x) { return x > 0.25F; });
        CHECK(inked > 15);
        CHECK(inked < 400);
    }
}

TEST_CASE("data/synthetic_digits: difficulty 0 draws a way of writing always alike") {
    const Dataset set = synthetic_digits({.train = 300, .validation = 1, .difficulty = 0.0}).train;
    std::vector<std::vector<float>> zeros;  // the digit 0 has one way of writing
    for (std::int64_t i = 0; i < set.samples; ++i)
        if (set.labels[static_cast<std::size_t>(i)] == 0)
            zeros.emplace_back(set.inputs.begin() + i * 784, set.inputs.begin() + (i + 1) * 784);
    REQUIRE(zeros.size() > 1);
    for (const auto& zero : zeros) CHECK(zero == zeros.front());
}

TEST_CASE("data/synthetic_digits: nonsense counts and difficulties are refused") {
    CHECK_THROWS_WITH_AS(synthetic_digits({.train = 0}),
                         "synthetic digits: 0 samples were asked for, 1 to 2147483648 expected", InputError);
    CHECK_THROWS_AS(synthetic_digits({.train = 1, .validation = -1}), InputError);
    CHECK_THROWS_WITH_AS(synthetic_digits({.difficulty = -1.0}),
                         "synthetic digits: difficulty -1 found, 0 to 2 expected", InputError);
    CHECK_THROWS_AS(synthetic_digits({.difficulty = std::nan("")}), InputError);
}
