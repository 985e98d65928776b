#include "engine/initializer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "common/error.h"

using namespace deepfreq;

namespace {

std::vector<float> weights(const std::string& initializer, std::uint64_t seed = 3, std::uint32_t stream = 0,
                           std::size_t count = 200000) {
    std::vector<float> w(count);
    parse_initializer(initializer).fill(w, 400, 500, seed, stream);
    return w;
}

double mean_of(const std::vector<float>& w, int power) {
    double sum = 0.0;
    for (const float x : w) sum += std::pow(static_cast<double>(x), power);
    return sum / static_cast<double>(w.size());
}

}  // namespace

TEST_CASE("engine/initializer: every kind has mean 0, its variance and its distribution's shape") {
    const struct {
        const char* initializer;
        double variance, kurtosis;
    } kinds[] = {{"glorot-normal", 2.0 / 900, 3.0},
                 {"glorot-uniform", 2.0 / 900, 1.8},
                 {"he", 2.0 / 400, 3.0},
                 {"lecun", 1.0 / 400, 3.0},
                 {"normal:0.25", 0.0625, 3.0}};
    for (const auto& kind : kinds) {
        CAPTURE(kind.initializer);
        const std::vector<float> w = weights(kind.initializer);
        const double five = 5.0 / std::sqrt(static_cast<double>(w.size()));
        CHECK(std::abs(mean_of(w, 1)) < five * std::sqrt(kind.variance));
        CHECK(std::abs(mean_of(w, 2) / kind.variance - 1.0) < five * std::sqrt(kind.kurtosis - 1.0));
        CHECK(mean_of(w, 4) / (kind.variance * kind.variance) ==
              doctest::Approx(kind.kurtosis).epsilon(0.05));
    }
}

TEST_CASE("engine/initializer: glorot-uniform reaches its bounds and stays within them") {
    const std::vector<float> w = weights("glorot-uniform");
    const double bound = std::sqrt(6.0 / 900.0);
    const auto [least, most] = std::ranges::minmax(w);
    CHECK(most <= static_cast<float>(bound));
    CHECK(least >= static_cast<float>(-bound));
    CHECK(most > 0.999 * bound);
    CHECK(least < -0.999 * bound);
}

TEST_CASE("engine/initializer: weights are a pure function of seed and stream") {
    const std::vector<float> w = weights("he", 3, 0, 1000);
    CHECK(weights("he", 3, 0, 1000) == w);
    CHECK(weights("he", 4, 0, 1000) != w);
    CHECK(weights("he", 3, 1, 1000) != w);
    const std::vector<float> first = weights("he", 3, 0, 10);
    CHECK(std::equal(first.begin(), first.end(), w.begin()));
}

TEST_CASE("engine/initializer: streams are not correlated") {
    const std::vector<float> a = weights("normal:1", 3, 0), b = weights("normal:1", 3, 1);
    double product = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) product += static_cast<double>(a[i]) * b[i];
    CHECK(std::abs(product / static_cast<double>(a.size())) < 5.0 / std::sqrt(static_cast<double>(a.size())));
}

TEST_CASE("engine/initializer: names are parsed, anything else is refused by what was found") {
    CHECK(parse_initializer("glorot-normal").kind == Initializer::Kind::GlorotNormal);
    CHECK(parse_initializer("glorot-uniform").kind == Initializer::Kind::GlorotUniform);
    CHECK(parse_initializer("he").kind == Initializer::Kind::He);
    CHECK(parse_initializer("lecun").kind == Initializer::Kind::LeCun);
    CHECK(parse_initializer("normal:1e-3").kind == Initializer::Kind::Normal);
    CHECK(parse_initializer("normal:1e-3").stddev == 1e-3);
    CHECK_THROWS_WITH_AS(parse_initializer("xavier"),
                         "the initialiser is 'xavier', expected glorot-normal, glorot-uniform, he, lecun or "
                         "normal:SIGMA with SIGMA > 0",
                         InputError);
    for (const std::string bad : {"", "He", "he ", "normal", "normal:", "normal:0", "normal:-1", "normal:nan",
                                  "normal:inf", "normal:1x", "normal: 1", "normal:1e999"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(parse_initializer(bad), InputError);
    }
}
