#include "common/philox.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace deepfreq;

namespace {

using Words = r123::Philox4x32::ctr_type;

// The counter is index (two words), stream, use; the key is the seed.
Words philox(Words counter, std::uint64_t seed) {
    const Philox random(seed, static_cast<RandomUse>(counter[3]), counter[2]);
    return random.words(static_cast<std::uint64_t>(counter[1]) << 32 | counter[0]);
}

}  // namespace

TEST_CASE("common/philox: the known answers of Random123's kat_vectors for Philox4x32-10") {
    constexpr std::uint32_t ones = 0xffffffff;
    CHECK(philox({{0, 0, 0, 0}}, 0) == Words{{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}});
    CHECK(philox({{ones, ones, ones, ones}}, ~std::uint64_t{0}) ==
          Words{{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}});
    CHECK(philox({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0x299f31d0a4093822) ==
          Words{{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}});
    CHECK(Philox(0, static_cast<RandomUse>(0)).word64(0) == 0xe169c58d6627e8d5);
}

TEST_CASE("common/philox: uniform stays inside (0, 1) at both ends") {
    // Philox run backwards: the counters at which, with seed 0, all words are zeros and all are ones.
    const Philox zeros(0, static_cast<RandomUse>(0xd9f19ce4), 0xd942a9da);
    const Philox ones(0, static_cast<RandomUse>(0x97e2d350), 0xba2ca899);
    constexpr std::uint64_t at_zeros = 0x58dd724a86d9ccce, at_ones = 0x4f07c0052c4aee5d;
    REQUIRE(zeros.word64(at_zeros) == 0);
    REQUIRE(ones.word64(at_ones) == std::numeric_limits<std::uint64_t>::max());
    CHECK(zeros.uniform(at_zeros) > 0.0);
    CHECK(ones.uniform(at_ones) < 1.0);
    CHECK(std::isfinite(zeros.normal(at_zeros)));
    CHECK(std::isfinite(ones.normal(at_ones)));
}

TEST_CASE("common/philox: a million draws have the mean and variance of their distribution") {
    const Philox random(5, RandomUse::Functions);
    constexpr std::uint64_t count = 1000000;
    double uniform = 0.0, uniform2 = 0.0, normal = 0.0, normal2 = 0.0;
    bool inside = true;
    for (std::uint64_t i = 0; i < count; ++i) {
        const double u = random.uniform(i), z = random.normal(i);
        inside = inside && u > 0.0 && u < 1.0;
        uniform += u - 0.5;
        uniform2 += (u - 0.5) * (u - 0.5);
        normal += z;
        normal2 += z * z;
    }
    CHECK(inside);
    // Five standard errors of each mean: those of u, (u - 1/2)^2, z, z^2 are sqrt(1/12), sqrt(1/180), 1,
    // sqrt(2) over sqrt(count).
    const double five = 5.0 / std::sqrt(static_cast<double>(count));
    CHECK(std::abs(uniform / count) < five * std::sqrt(1.0 / 12.0));
    CHECK(std::abs(uniform2 / count - 1.0 / 12.0) < five * std::sqrt(1.0 / 180.0));
    CHECK(std::abs(normal / count) < five);
    CHECK(std::abs(normal2 / count - 1.0) < five * std::sqrt(2.0));
}

TEST_CASE("common/philox: seed, use, stream and index all keep sequences apart") {
    const std::uint64_t word = Philox(1, RandomUse::Weights, 0).word64(0);
    CHECK(Philox(1, RandomUse::Weights, 0).word64(0) == word);
    CHECK(Philox(2, RandomUse::Weights, 0).word64(0) != word);
    CHECK(Philox(1 + (std::uint64_t{1} << 32), RandomUse::Weights, 0).word64(0) != word);
    CHECK(Philox(1, RandomUse::Batches, 0).word64(0) != word);
    CHECK(Philox(1, RandomUse::Weights, 1).word64(0) != word);
    CHECK(Philox(1, RandomUse::Weights, 0).word64(1) != word);
    CHECK(Philox(1, RandomUse::Weights, 0).word64(std::uint64_t{1} << 32) != word);
}
