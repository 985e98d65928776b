#include "analysis/low_frequency_ratio.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "analysis/filter_grid.h"
#include "common/error.h"
#include "common/philox.h"
#include "kernels/backend.h"

using namespace deepfreq;

namespace {

/// Features and targets of n samples on the CPU.
struct Samples {
    Samples(std::int64_t n, std::int64_t d, std::int64_t c)
        : backend(open_backend("cpu").backend),
          x(static_cast<std::size_t>(n * d)),
          y(static_cast<std::size_t>(n * c)),
          features_memory(backend->allocate_zeros({n, d})),
          targets_memory(backend->allocate_zeros({n, c})),
          features(features_memory.view<float>({n, d})),
          targets(targets_memory.view<float>({n, c})) {}

    void upload() {
        backend->upload(std::span<const float>(x), features);
        backend->upload(std::span<const float>(y), targets);
    }
    std::vector<double> lfr(std::span<const double> inv_delta, const LowFrequencyParams& params = {}) {
        return low_frequency_ratio(*backend, features, targets, inv_delta, params).value;
    }
    CurveExtent extent(const LowFrequencyParams& params = {}) {
        const double mean_squared_distance =
            2.0 * (*backend)(SumOfSquares{.x = features}) / static_cast<double>(features.rows());
        return measure_extent([&](std::span<const double> s) { return lfr(s, params); },
                              mean_squared_distance);
    }

    std::unique_ptr<Backend> backend;
    std::vector<float> x, y;
    Buffer features_memory, targets_memory;
    Tensor features, targets;
};

/// sin(k pi x) on n even points of [-1, 1].
Samples sine(int k, std::int64_t n = 401) {
    Samples samples(n, 1, 1);
    for (std::size_t i = 0; i < samples.x.size(); ++i) {
        samples.x[i] = static_cast<float>(2.0 * static_cast<double>(i) / static_cast<double>(n - 1) - 1.0);
        samples.y[i] = static_cast<float>(std::sin(k * std::numbers::pi * samples.x[i]));
    }
    samples.upload();
    return samples;
}

/// Normal features of the given scale and one-hot targets that depend on them, three classes.
Samples random_samples(std::uint64_t seed, std::int64_t n, std::int64_t d, double scale) {
    Samples samples(n, d, 3);
    const Philox random(seed, RandomUse::Functions);
    for (std::size_t i = 0; i < samples.x.size(); ++i)
        samples.x[i] = static_cast<float>(scale * random.normal(i));
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
        const double angle = 2.0 * samples.x[i * static_cast<std::size_t>(d)] / scale;
        samples.y[3 * i + (angle < -1.0 ? 0 : angle < 1.0 ? 1 : 2)] = 1.0F;
    }
    samples.upload();
    return samples;
}

/// Energy of the targets' mean as a share of all.
double mean_energy_ratio(const Samples& samples) {
    const auto classes = static_cast<std::size_t>(samples.targets.columns());
    const double n = static_cast<double>(samples.targets.rows());
    double mean_energy = 0.0, total = 0.0;
    for (std::size_t k = 0; k < classes; ++k) {
        double sum = 0.0;
        for (std::size_t i = k; i < samples.y.size(); i += classes) sum += samples.y[i];
        mean_energy += sum * sum / n;
    }
    for (const double value : samples.y) total += value * value;
    return mean_energy / total;
}

/// The curve on its automatic grid.
FrequencyCurve automatic_curve(Samples& samples, const LowFrequencyParams& params = {}) {
    const CurveExtent extent = samples.extent(params);
    const CoveringGrid grid = covering_grid({&extent, 1});
    // Without itself, a sample comes to the target of its nearest other only by and by.
    if (!params.exclude_self) CHECK(grid.note.empty());
    FrequencyCurve lfr =
        low_frequency_ratio(*samples.backend, samples.features, samples.targets, grid.inv_delta, params);
    // 1e-5 more than the promised 1 %: the accuracy of the kernel, whose two calls tile differently.
    const double rise = extent.ceiling - extent.floor;
    CHECK(std::abs(lfr.value.front() - extent.floor) <= 0.01 * rise + 1e-5);
    CHECK(std::ranges::max(lfr.value) >= extent.floor + 0.99 * rise - 1e-5);
    // The steepest interval may also be the first: then there is no inner peak to resolve.
    const Peak peak = find_peak(lfr);
    const double step = grid.inv_delta[1] - grid.inv_delta[0];
    if (peak.inv_delta > lfr.inv_delta[1] && grid.note.empty()) CHECK(step <= 0.04 * peak.inv_delta);
    return lfr;
}

}  // namespace

TEST_CASE("analysis/low_frequency_ratio: RDF is the slope at the midpoints") {
    const auto rdf = ratio_density({{0.0, 1.0, 3.0, 4.0}, {0.1, 0.2, 0.6, 0.5}});
    REQUIRE(rdf.inv_delta == std::vector{0.5, 2.0, 3.5});
    CHECK(rdf.value[0] == doctest::Approx(0.1));
    CHECK(rdf.value[1] == doctest::Approx(0.2));
    CHECK(rdf.value[2] == doctest::Approx(-0.1));
}

TEST_CASE("analysis/low_frequency_ratio: RDF of too few or unordered points is refused") {
    CHECK_THROWS_AS(ratio_density({{}, {}}), InputError);
    CHECK_THROWS_AS(ratio_density({{1.0}, {0.5}}), InputError);
    CHECK_THROWS_AS(ratio_density({{1.0, 2.0}, {0.5}}), InputError);
    CHECK_THROWS_AS(ratio_density({{1.0, 1.0}, {0.5, 0.6}}), InputError);
    CHECK_THROWS_AS(ratio_density({{2.0, 1.0}, {0.5, 0.6}}), InputError);
    CHECK_THROWS_AS(find_peak({{}, {}}), InputError);
    CHECK_THROWS_AS(find_peak({{1.0}, {0.5}}), InputError);
}

TEST_CASE("analysis/low_frequency_ratio: the parabola finds the top of a parabola between uneven points") {
    // LFR whose slopes between these widths lie exactly on 3 - (s - 2.2)^2 at the midpoints.
    FrequencyCurve lfr{{0.0, 1.0, 1.8, 2.9, 3.1, 4.0}, {0.0}};
    for (std::size_t i = 0; i + 1 < lfr.inv_delta.size(); ++i) {
        const double step = lfr.inv_delta[i + 1] - lfr.inv_delta[i];
        const double middle = lfr.inv_delta[i] + step / 2.0;
        lfr.value.push_back(lfr.value.back() + step * (3.0 - (middle - 2.2) * (middle - 2.2)));
    }
    const Peak peak = find_peak(lfr);
    CHECK(peak.inv_delta == doctest::Approx(2.2).epsilon(1e-12));
    CHECK(peak.rdf == doctest::Approx(3.0).epsilon(1e-12));
}

TEST_CASE("analysis/low_frequency_ratio: a peak at the end of the grid is left as it is") {
    const Peak first = find_peak({{0.0, 1.0, 2.0, 3.0}, {0.0, 0.5, 0.8, 0.9}});
    CHECK(first.inv_delta == 0.5);
    CHECK(first.rdf == doctest::Approx(0.5));
    const Peak last = find_peak({{0.0, 1.0, 2.0, 3.0}, {0.0, 0.1, 0.3, 0.9}});
    CHECK(last.inv_delta == 2.5);
    CHECK(last.rdf == doctest::Approx(0.6));
    const Peak flat_top = find_peak({{0.0, 1.0, 2.0, 3.0}, {0.0, 1.0, 2.0, 3.0}});
    CHECK(flat_top.inv_delta == 0.5);
    CHECK(flat_top.rdf == 1.0);
}

TEST_CASE("analysis/low_frequency_ratio: the points of the rise") {
    const FrequencyCurve lfr{{1.0, 2.0, 4.0, 5.0}, {0.2, 0.4, 0.8, 0.7}};  // rise 0.2 to 0.8, then falling
    const Peak own = find_peak(lfr);
    CHECK(own.rise10 == doctest::Approx(1.3));
    CHECK(own.rise50 == doctest::Approx(2.5));
    CHECK(own.rise90 == doctest::Approx(3.7));
    const Peak given = find_peak(lfr, 0.1, 1.0);  // 0.19, 0.55 and 0.91
    CHECK(std::isnan(given.rise10));
    CHECK(given.rise50 == doctest::Approx(2.75));
    CHECK(std::isnan(given.rise90));
}

TEST_CASE("analysis/low_frequency_ratio: a curve that never rises has no peak") {
    for (const std::vector<double>& value : {std::vector{0.3, 0.3, 0.3}, std::vector{0.3, 0.2, 0.1}}) {
        const Peak peak = find_peak({{0.0, 1.0, 2.0}, value});
        for (const double number : {peak.inv_delta, peak.rdf, peak.rise10, peak.rise50, peak.rise90})
            CHECK(std::isnan(number));
    }
}

TEST_CASE("analysis/low_frequency_ratio: targets that are all 0 are refused") {
    Samples samples(5, 2, 3);
    samples.x.assign(samples.x.size(), 1.0F);
    samples.upload();
    CHECK_THROWS_AS(samples.lfr(std::vector{1.0}), InputError);
}

TEST_CASE("analysis/low_frequency_ratio: from the energy of the mean to all of it") {
    for (const double scale : {1e-3, 1.0, 1e3}) {
        Samples samples = random_samples(1, 150, 7, scale);
        const auto lfr = samples.lfr(std::vector{0.0, 1e9 / (scale * scale)});
        CHECK(std::abs(lfr[0] - mean_energy_ratio(samples)) <= 1e-5);
        CHECK(lfr[1] == doctest::Approx(1.0).epsilon(1e-6));
    }
}

TEST_CASE("analysis/low_frequency_ratio: LFR of three points, by hand") {
    Samples samples(3, 1, 1);  // distances 1, 1 and 2
    samples.x = {0.0F, 1.0F, 2.0F};
    samples.y = {1.0F, -1.0F, 2.0F};
    samples.upload();
    const double near = std::exp(-0.35), far = std::exp(-1.4);  // 1/delta = 0.7
    const double y0 = (1.0 - near + 2.0 * far) / (1.0 + near + far);
    const double y1 = (near - 1.0 + 2.0 * near) / (1.0 + 2.0 * near);
    const double y2 = (far - near + 2.0) / (far + near + 1.0);
    CHECK(std::abs(samples.lfr(std::vector{0.7})[0] - (y0 * y0 + y1 * y1 + y2 * y2) / 6.0) <= 1e-5);
    const double z0 = (-near + 2.0 * far) / (near + far), z1 = 1.5, z2 = (far - near) / (far + near);
    CHECK(std::abs(samples.lfr(std::vector{0.7}, {.exclude_self = true})[0] -
                   (z0 * z0 + z1 * z1 + z2 * z2) / 6.0) <= 1e-5);
}

TEST_CASE("analysis/low_frequency_ratio: the peak of sin(k pi x) rises with k") {
    double previous = 0.0;
    for (const int k : {1, 2, 4}) {
        CAPTURE(k);
        Samples samples = sine(k);
        const auto widths = log_widths(0.05, 5000.0, 300);
        const Peak peak =
            find_peak(low_frequency_ratio(*samples.backend, samples.features, samples.targets, widths));
        // Without the ends of the interval LFR = exp(-(k pi)^2 delta), whose slope is largest at (k pi)^2
        // / 2. The ends shift that down, the less the shorter the wave.
        const double expected = std::pow(k * std::numbers::pi, 2) / 2.0;
        CHECK(peak.inv_delta < expected);
        if (k == 4) CHECK(peak.inv_delta > 0.75 * expected);
        CHECK(peak.inv_delta > 2.0 * previous);
        CHECK(peak.rise10 < peak.rise50);
        CHECK(peak.rise50 < peak.rise90);
        CHECK(samples.extent().peak == doctest::Approx(peak.inv_delta).epsilon(0.16));
        previous = peak.inv_delta;
    }
}

TEST_CASE("analysis/low_frequency_ratio: the automatic grid covers curves of random samples at any scale") {
    for (const bool exclude_self : {false, true})
        for (const double scale : {1e-3, 1e3})
            for (const std::int64_t d : {8, 40}) {
                CAPTURE(exclude_self);
                CAPTURE(scale);
                CAPTURE(d);
                Samples samples = random_samples(7, 200, d, scale);
                const FrequencyCurve lfr = automatic_curve(samples, {.exclude_self = exclude_self});
                CHECK(lfr.inv_delta.size() >= 100);
            }
}

TEST_CASE("analysis/low_frequency_ratio: features that are all alike give a constant curve") {
    Samples samples(20, 4, 2);
    std::ranges::fill(samples.x, 0.5F);
    for (std::size_t i = 0; i < samples.y.size(); i += 3) samples.y[i] = 1.0F;
    samples.upload();
    const CurveExtent extent = samples.extent();
    CHECK_FALSE(extent.rises());
    CHECK(std::abs(extent.floor - mean_energy_ratio(samples)) <= 1e-5);
}
