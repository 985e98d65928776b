#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "common/error.h"
#include "data/functions.h"

using namespace deepfreq;

TEST_CASE("data/functions: sin(k pi x) at evenly spaced points, ends included") {
    const RegressionSet set = sample_sin_k_pi(2.0, {.n = 9});
    CHECK(set.name == "sin(2 pi x)");
    CHECK(set.samples == 9);
    CHECK(set.features == 1);
    REQUIRE(set.inputs.size() == 9);
    REQUIRE(set.targets.size() == 9);
    for (std::size_t i = 0; i < 9; ++i) CHECK(set.inputs[i] == -1.0F + 0.25F * static_cast<float>(i));
    const float expected[] = {0, 1, 0, -1, 0, 1, 0, -1, 0};
    for (std::size_t i = 0; i < 9; ++i) CHECK(set.targets[i] == doctest::Approx(expected[i]).epsilon(1e-6));
}

TEST_CASE("data/functions: cos(k x) and cos(3x)+cos(5x) over a range of one's own") {
    const Grid grid{.n = 5, .low = 0.0, .high = 2.0};
    const RegressionSet single = sample_cos_k(3.0, grid);
    const RegressionSet sum = sample_cos3_plus_cos5(grid);
    REQUIRE(single.targets.size() == 5);
    REQUIRE(sum.targets.size() == 5);
    CHECK(single.inputs.front() == 0.0F);
    CHECK(single.inputs.back() == 2.0F);
    for (std::size_t i = 0; i < 5; ++i) {
        const double x = 0.5 * static_cast<double>(i);
        CHECK(single.targets[i] == static_cast<float>(std::cos(3.0 * x)));
        CHECK(sum.targets[i] == static_cast<float>(std::cos(3.0 * x) + std::cos(5.0 * x)));
    }
}

TEST_CASE("data/functions: parity lists every corner once with the product of its coordinates") {
    const RegressionSet set = sample_parity(3);
    CHECK(set.samples == 8);
    CHECK(set.features == 3);
    const std::vector<float> corners = {1, 1, 1,  -1, 1, 1,  1, -1, 1,  -1, -1, 1,
                                        1, 1, -1, -1, 1, -1, 1, -1, -1, -1, -1, -1};
    CHECK(set.inputs == corners);
    CHECK(set.targets == std::vector<float>{1, -1, -1, 1, -1, 1, 1, -1});
}

TEST_CASE("data/functions: nonsense is refused, naming what was found") {
    CHECK_THROWS_WITH_AS(sample_sin_k_pi(1.0, {.n = 1}),
                         "sin(1 pi x): 1 points were asked for, at least 2 expected", InputError);
    CHECK_THROWS_AS(sample_cos_k(1.0, {.n = 5, .low = 1.0, .high = 1.0}), InputError);
    CHECK_THROWS_AS(sample_cos_k(1.0, {.n = 5, .low = 0.0, .high = std::numeric_limits<double>::infinity()}),
                    InputError);
    CHECK_THROWS_WITH_AS(sample_parity(0), "parity: 0 bits were asked for, 1 to 20 expected", InputError);
    CHECK_THROWS_AS(sample_parity(21), InputError);
}

TEST_CASE("data/functions: a formula in x, k and pi is what it says at every point") {
    const RegressionSet read = sample_formula("sin(k*pi*x)", 3.0, {.n = 41});
    const RegressionSet own = sample_sin_k_pi(3.0, {.n = 41});
    CHECK(read.name == "sin(k*pi*x) with k = 3");
    CHECK(read.inputs == own.inputs);
    REQUIRE(read.targets.size() == own.targets.size());
    for (std::size_t i = 0; i < own.targets.size(); ++i)
        CHECK(std::abs(read.targets[i] - own.targets[i]) <= 1e-7F);
    CHECK(sample_formula("x^2 + 1", 5.0, {.n = 3}).targets == std::vector<float>{2, 1, 2});
    CHECK(sample_formula("x^2 + 1", 5.0, {.n = 3}).name == "x^2 + 1");
    CHECK(formula_uses_k("k*x"));
    CHECK_FALSE(formula_uses_k("pi*x"));
}

TEST_CASE("data/functions: formulas that cannot be read or are not finite are refused") {
    for (const char* const formula : {"", "sin(", "sin(k*pi*y)", "x x", "x,x", "x=2", "k=2"}) {
        CAPTURE(std::string(formula));
        CHECK_THROWS_AS(sample_formula(formula, 1.0, {.n = 5}), InputError);
    }
    CHECK_THROWS_WITH_AS(sample_formula("1/x", 1.0, {.n = 3}),
                         "1/x: inf found at x = 0, a finite number in single precision expected", InputError);
    CHECK_THROWS_AS(sample_formula("sqrt(x)", 1.0, {.n = 3}), InputError);
    CHECK_THROWS_AS(sample_formula("1e39*x", 1.0, {.n = 3}), InputError);
}

TEST_CASE("data/functions: what a grid cannot show of a formula lies between its points") {
    const auto share = [](const std::string& formula, double k, std::int64_t n) {
        return share_between_points(formula, k, {.n = n});
    };
    CHECK(share("3*x + 1", 1.0, 5) == doctest::Approx(0.0));
    CHECK(share("2", 1.0, 5) == 0.0);
    // sin(pi k x) on 2 n / k points a period is missed by about theta^2 0.118, theta = pi k 2 / n.
    for (const double k : {1.0, 3.0, 10.0}) {
        const double theta = std::numbers::pi * k * 2.0 / 400.0;
        CHECK(share("sin(k*pi*x)", k, 401) ==
              doctest::Approx(std::pow(0.118 * theta * theta, 2)).epsilon(0.02));
    }
    for (const double k : {200.0, 400.0, 800.0}) CHECK(share("sin(k*pi*x)", k, 401) > 0.5);
    CHECK(share("sign(x)", 1.0, 401) < 0.01);
}
