#include <doctest/doctest.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "analysis/spectrum.h"
#include "common/philox.h"
#include "runs/npy_samples.h"
#include "tests/backends.h"
#include "tests/npy_files.h"

// What the app `lfr` keeps of numbers in double precision: its LFR beside that of the numbers in the file.

namespace deepfreq {
namespace {

using tests::backends_present;
using tests::TestedBackend;
using Numbers = std::vector<double>;

/// LFR in double of x[n,d], y[n,c] as they are: eqs. 3 to 5.
double exact_lfr(const Numbers& x, const Numbers& y, std::size_t n, double inv_delta) {
    const std::size_t d = x.size() / n, c = y.size() / n;
    double energy = 0.0, total = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
        Numbers low(c, 0.0);
        double weights = 0.0;
        for (std::size_t j = 0; j < n; ++j) {
            double distance = 0.0;
            for (std::size_t k = 0; k < d; ++k) distance += std::pow(x[i * d + k] - x[j * d + k], 2.0);
            const double weight = std::exp(-distance * inv_delta / 2.0);
            weights += weight;
            for (std::size_t s = 0; s < c; ++s) low[s] += weight * y[j * c + s];
        }
        for (std::size_t s = 0; s < c; ++s) energy += std::pow(low[s] / weights, 2.0);
        for (std::size_t s = 0; s < c; ++s) total += y[i * c + s] * y[i * c + s];
    }
    return energy / total;
}

/// Columns divided by their largest magnitude, centred before that or not.
Numbers normalized(Numbers x, std::size_t d, ColumnScaling scaling) {
    for (std::size_t k = 0; k < d; ++k) {
        double mean = 0.0;
        if (scaling == ColumnScaling::Centred)
            for (std::size_t i = k; i < x.size(); i += d)
                mean += x[i] * static_cast<double>(d) / static_cast<double>(x.size());
        for (std::size_t i = k; i < x.size(); i += d) x[i] -= mean;
        double largest = 0.0;
        for (std::size_t i = k; i < x.size(); i += d) largest = std::max(largest, std::fabs(x[i]));
        for (std::size_t i = k; i < x.size(); i += d) x[i] /= largest;
    }
    return x;
}

constexpr std::size_t rows = 60, columns = 3;

/// What is changed of normal numbers, and measured at 1/delta around 1 / scale^2.
struct Case {
    std::string name;
    std::function<double(double x, std::size_t row)> feature;
    std::function<double(double x)> target;
    ColumnScaling scaling;
    double scale;  ///< of the features that are measured
};

auto lent(const LoadedFeatures& features) {
    return [&]() -> const LoadedFeatures& { return features; };
}

Numbers normal_numbers() {
    const Philox random(3, RandomUse::Functions);
    Numbers numbers;
    for (std::size_t i = 0; i < rows * columns; ++i) numbers.push_back(random.normal(i));
    return numbers;
}

template <class T>
void write_npy(const std::filesystem::path& path, const Numbers& numbers, std::int64_t width) {
    write_file(path,
               npy(std::vector<T>(numbers.begin(), numbers.end()), {std::ssize(numbers) / width, width}));
}

}  // namespace

TEST_CASE("apps/samples: offsets and scales of numbers in double precision cost no digits") {
    const auto same = [](double x, std::size_t) { return x; };
    const auto sine = [](double x) { return std::sin(2.0 * x); };
    constexpr auto none = ColumnScaling::None, max_abs = ColumnScaling::MaxAbs,
                   centred = ColumnScaling::Centred;
    const std::vector<Case> cases = {
        {"coordinates", [](double x, std::size_t) { return 5e6 + x; }, sine, none, 1.0},
        {"seconds", [](double, std::size_t row) { return 1.7e9 + 10.0 * static_cast<double>(row); }, sine,
         none, 300.0},
        {"seconds, normalized",
         [](double, std::size_t row) { return 1.7e9 + 10.0 * static_cast<double>(row); }, sine, max_abs,
         300.0 / 1.7e9},
        {"seconds, centred", [](double, std::size_t row) { return 1.7e9 + 10.0 * static_cast<double>(row); },
         sine, centred, 1.0},
        {"coordinates, centred", [](double x, std::size_t) { return 5e6 + x; }, sine, centred, 0.5},
        {"tiny", [](double x, std::size_t) { return x * 1e-50; }, sine, none, 1e-50},
        {"tiny, normalized", [](double x, std::size_t) { return x * 1e-50; }, sine, max_abs, 0.5},
        {"huge", [](double x, std::size_t) { return x * 1e60; }, sine, none, 1e60},
        {"two offsets", [](double x, std::size_t row) { return (row % 2 == 0 ? 1e3 : 0.0) + x; }, sine, none,
         1.0},
        {"an outlier", [](double x, std::size_t row) { return row == 7 ? 1e12 : x; }, sine, none, 1.0},
        {"tiny targets", same, [&](double x) { return 1e-50 * sine(x); }, none, 1.0},
        {"huge targets", same, [&](double x) { return 1e60 * sine(x); }, none, 1.0},
        {"years", same, [&](double x) { return 2000.0 + sine(x); }, none, 1.0},
        {"tiny years", same, [&](double x) { return 1e-50 * (2000.0 + sine(x)); }, max_abs, 0.5},
        {"far below 0", same, [&](double x) { return -1e5 + sine(x); }, none, 1.0},
    };
    const TemporaryFolder folder;
    const auto x_file = folder.path / "x.npy", y_file = folder.path / "y.npy";
    for (const Case& of : cases) {
        CAPTURE(of.name);
        Numbers x, y;
        const Numbers numbers = normal_numbers();
        for (std::size_t i = 0; i < numbers.size(); ++i) x.push_back(of.feature(numbers[i], i / columns));
        for (std::size_t i = 0; i < rows; ++i) y.push_back(of.target(numbers[i * columns]));
        write_npy<double>(x_file, x, columns);
        write_npy<double>(y_file, y, 1);
        for (const TestedBackend& tested : backends_present()) {
            const LoadedFeatures features = load_features(*tested.backend, x_file, of.scaling);
            const LoadedTargets targets = load_targets(*tested.backend, y_file);
            // What is left to measure: a share of 1e-7 of 2000 + sin, say.
            const Numbers seen = of.scaling == ColumnScaling::None ? x : normalized(x, columns, of.scaling);
            const double rise = 1.0 - exact_lfr(seen, y, rows, 0.0);
            for (const double width : {1e-2, 0.3, 1.0, 10.0}) {
                const double inv_delta = width / (of.scale * of.scale);
                const double inside = inv_delta * features.unit * features.unit;
                const std::array widths = {inside};
                const double found =
                    targets.centred
                        ? low_frequency_ratio(*tested.backend, features.view, *targets.centred, widths)
                              .value[0]
                        : low_frequency_ratio(*tested.backend, features.view, targets.view, widths).value[0];
                const double expected = exact_lfr(seen, y, rows, inv_delta);
                CAPTURE(width);
                CHECK(std::fabs(found - expected) <= (targets.centred ? 0.02 * rise : 1e-5));
            }
        }
    }
}

TEST_CASE("apps/samples: a rise of 1e-7 is measured, not called constant") {
    const TemporaryFolder folder;
    const Numbers x = normal_numbers();
    Numbers y;
    for (std::size_t i = 0; i < rows; ++i) y.push_back(2000.0 + std::sin(2.0 * x[i * columns]));
    write_npy<double>(folder.path / "x.npy", x, columns);
    write_npy<double>(folder.path / "y.npy", y, 1);
    for (const TestedBackend& tested : backends_present()) {
        const LoadedFeatures features =
            load_features(*tested.backend, folder.path / "x.npy", ColumnScaling::MaxAbs);
        const LoadedTargets targets = load_targets(*tested.backend, folder.path / "y.npy");
        REQUIRE(targets.centred);
        const std::vector<SampleSource> sources = {
            {"x", [&] {
                 return SampleTensors{features.view, targets.view, targets.centred_or_null()};
             }}};
        const std::vector<Spectrum> spectra =
            measure_spectra(*tested.backend, sources, {}, [](const auto&) {});
        REQUIRE(spectra.size() == 1);
        CHECK(std::isfinite(spectra[0].peak.inv_delta));
        const FrequencyCurve& lfr = spectra[0].lfr;
        for (std::size_t k = 0; k < lfr.value.size(); k += 10)
            CHECK(lfr.value[k] == doctest::Approx(exact_lfr(normalized(x, columns, ColumnScaling::MaxAbs), y,
                                                            rows, lfr.inv_delta[k]))
                                      .epsilon(1e-9));
    }
}

TEST_CASE("apps/samples: a single row cannot be centred") {
    const TemporaryFolder folder;
    write_npy<double>(folder.path / "x.npy", {1.0, 2.0}, 2);
    CHECK_THROWS_WITH_AS(
        load_features(*backends_present().front().backend, folder.path / "x.npy", ColumnScaling::Centred),
        (folder.path.string() + "/x.npy: one row found to be centred, which leaves 0; expected at least 2")
            .c_str(),
        InputError);
}

TEST_CASE("apps/samples: borrowed features are measured as loaded ones are, and stay as they are") {
    const auto backend = open_backend("cpu").backend;
    const Numbers numbers = normal_numbers();
    std::vector<float> x(numbers.begin(), numbers.end());
    for (std::size_t i = 0; i < x.size(); i += columns) x[i] += 1e4F;
    const std::vector<float> before = x;
    std::vector<std::int64_t> labels;
    for (std::size_t i = 0; i < rows; ++i) labels.push_back(x[i * columns + 1] > 0.0F ? 7 : 2);
    const LoadedTargets targets = load_labels(*backend, "y", labels);
    const RowSource source{"x", rows, columns, [&](std::int64_t first, std::span<double> to) {
                               const auto from = static_cast<std::size_t>(first) * columns;
                               std::copy_n(&x[from], to.size(), to.begin());
                           }};
    for (const ColumnScaling scaling : {ColumnScaling::None, ColumnScaling::MaxAbs, ColumnScaling::Centred}) {
        const LoadedFeatures loaded = load_features(*backend, source, scaling);
        const LoadedFeatures borrowed = borrow_features(source, {x.data(), {rows, columns}}, scaling);
        CHECK(borrowed.view.data == x.data());
        CHECK(borrowed.memory.bytes() == 0);
        const auto measured = [&](const LoadedFeatures& features) {
            const std::vector<LoadedSamples> samples{{"x", lent(features), targets}};
            return measure_loaded(*backend, samples, {}, [](const auto&) {})[0];
        };
        const Spectrum expected = measured(loaded), found = measured(borrowed);
        CHECK(found.lfr.inv_delta == expected.lfr.inv_delta);
        CHECK(found.lfr.value == expected.lfr.value);
        CHECK(x == before);
    }
}

TEST_CASE("apps/samples: features of very different scales have no grid in common unless they are scaled") {
    const auto backend = open_backend("cpu").backend;
    std::vector<float> x(rows), tiny(rows);
    std::vector<std::int64_t> labels(rows);
    for (std::size_t i = 0; i < rows; ++i) {
        x[i] = static_cast<float>(i);
        tiny[i] = 1e-30F * static_cast<float>(i);
        labels[i] = i % 10 < 5 ? 0 : 1;
    }
    const LoadedTargets targets = load_labels(*backend, "y", labels);
    const auto measure = [&](ColumnScaling scaling) {
        const auto load = [&](const std::vector<float>& from) {
            return load_features(*backend,
                                 {"x", rows, 1,
                                  [&](std::int64_t first, std::span<double> to) {
                                      std::copy_n(from.begin() + first, to.size(), to.begin());
                                  }},
                                 scaling);
        };
        const LoadedFeatures a = load(x), b = load(tiny);
        const std::vector<LoadedSamples> samples{{"a", lent(a), targets}, {"b", lent(b), targets}};
        return measure_loaded(*backend, samples, {}, [](const auto&) {});
    };
    CHECK(measure(ColumnScaling::MaxAbs).size() == 2);
    CHECK_THROWS_WITH_AS(
        measure(ColumnScaling::None),
        "a and b: features about 5e-29 times as large found, features of one scale expected, "
        "or such that are scaled by column",
        InputError);
}

TEST_CASE("apps/samples: a row that dwarfs all others is named") {
    const TemporaryFolder folder;
    const auto warning = [&](double factor, ColumnScaling scaling) {
        Numbers x = normal_numbers();
        for (std::size_t k = 0; k < columns; ++k) x[7 * columns + k] = factor * (1.0 + x[7 * columns + k]);
        write_npy<double>(folder.path / "x.npy", x, columns);
        return load_features(*backends_present().front().backend, folder.path / "x.npy", scaling).warning;
    };
    for (const ColumnScaling scaling : {ColumnScaling::None, ColumnScaling::MaxAbs}) {
        CHECK(warning(1e3, scaling).empty());
        CHECK(contains(warning(1e9, scaling), "x.npy: row 7 is "));
        CHECK(contains(warning(1e9, scaling), "automatic grid"));
        CHECK(contains(warning(1e18, scaling), "float32 cannot tell the others apart"));
    }
}

}  // namespace deepfreq
