#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "analysis/sampled_ratio.h"
#include "analysis/spectrum.h"
#include "common/error.h"
#include "tests/spectrum_samples.h"

namespace deepfreq::tests {
namespace {

/// Samples on the device.
struct Loaded {
    Loaded(Backend& backend, const Samples& s)
        : x_memory(backend.allocate(s.x.size() * sizeof(float))),
          y_memory(backend.allocate(s.y.size() * sizeof(float))),
          x(x_memory.view<float>({s.n, s.d})),
          y(y_memory.view<float>({s.n, s.c})) {
        backend.upload<float>(s.x, x_memory.view<float>({s.n, s.d}));
        backend.upload<float>(s.y, y_memory.view<float>({s.n, s.c}));
    }
    Buffer x_memory, y_memory;
    ConstTensor x, y;
};

}  // namespace

TEST_CASE("analysis/sampled ratio: random rows are some of all, each as likely as any") {
    CHECK(random_rows(5, 9, 1) == std::vector<std::int64_t>{0, 1, 2, 3, 4});
    CHECK(random_rows(5, 0, 1).empty());
    CHECK(random_rows(1000, 100, 7) == random_rows(1000, 100, 7));
    CHECK(random_rows(1000, 100, 7) != random_rows(1000, 100, 8));
    std::vector<int> times(20, 0);
    for (std::uint64_t seed = 0; seed < 4000; ++seed) {
        const std::vector<std::int64_t> rows = random_rows(20, 5, seed);
        REQUIRE(std::set(rows.begin(), rows.end()).size() == 5);
        CHECK(std::ranges::is_sorted(rows));
        for (const std::int64_t row : rows) ++times[static_cast<std::size_t>(row)];
    }
    for (const int count : times) CHECK(std::abs(count - 1000) <= 4 * 28);  // a standard deviation is 27.4
}

TEST_CASE("analysis/sampled ratio: of all rows it is LFR, and off by nothing") {
    for_each_backend([](Backend& backend) {
        for (const bool one_hot : {true, false}) {
            const Samples s = clusters(300, 20, 3, one_hot);
            const Loaded on(backend, s);
            const Grid grid = even_grid(s, 0.0, 40.0, 10);
            const SampledRatio found =
                estimate_ratio(grid, row_energies(backend, on.x, on.y, grid, random_rows(300, 300, 0)), 300);
            const FrequencyCurve expected = low_frequency_ratio(backend, on.x, on.y, grid);
            for (std::size_t k = 0; k < grid.size(); ++k)
                CHECK(std::fabs(found.lfr.value[k] - expected.value[k]) <= 1e-5);
            CHECK(found.lfr_error == std::vector<double>(10, 0.0));
            CHECK(found.slope_error == std::vector<double>(9, 0.0));
        }
    });
}

TEST_CASE("analysis/sampled ratio: two standard errors cover LFR and RDF about as often as they should") {
    const Samples s = clusters(1200, 6, 3, false);
    for_each_backend([&](Backend& backend) {
        const Loaded on(backend, s);
        const Grid grid = log_grid(s, 1.0, 1e3, 7);
        std::vector<std::int64_t> all = random_rows(s.n, s.n, 0);
        // All at once: a row's energies are the same in every sample.
        const RowEnergies of_all = row_energies(backend, on.x, on.y, grid, all);
        const SampledRatio exact = estimate_ratio(grid, of_all, s.n);
        constexpr int times = 1000;
        std::vector<int> covered(grid.size(), 0), slope_covered(grid.size() - 1, 0);
        for (std::uint64_t seed = 0; seed < times; ++seed) {
            RowEnergies some;
            for (const std::int64_t row : random_rows(s.n, 150, seed)) {
                const auto first = of_all.filtered.begin() + row * std::ssize(grid);
                some.filtered.insert(some.filtered.end(), first, first + std::ssize(grid));
                some.whole.push_back(of_all.whole[static_cast<std::size_t>(row)]);
            }
            const SampledRatio found = estimate_ratio(grid, some, s.n);
            for (std::size_t k = 0; k < grid.size(); ++k)
                covered[k] += std::fabs(found.lfr.value[k] - exact.lfr.value[k]) <= 1.96 * found.lfr_error[k];
            for (std::size_t k = 0; k + 1 < grid.size(); ++k) {
                const auto slope = [&](const SampledRatio& of) {
                    return (of.lfr.value[k + 1] - of.lfr.value[k]) / (grid[k + 1] - grid[k]);
                };
                slope_covered[k] += std::fabs(slope(found) - slope(exact)) <= 1.96 * found.slope_error[k];
            }
        }
        // 95 % of a thousand, give or take 7, and less for samples of 150, which are not quite normal. Not
        // where LFR is nearly 0 or 1 and a few rows make the difference: most samples have none of them.
        int checked = 0;
        for (std::size_t k = 0; k < grid.size(); ++k) {
            if (exact.lfr.value[k] < 0.1 || exact.lfr.value[k] > 0.9) continue;
            CHECK(covered[k] >= 915);
            CHECK(covered[k] <= 975);
            CHECK(slope_covered[k] >= 915);
            CHECK(slope_covered[k] <= 975);
            ++checked;
        }
        CHECK(checked == 2);
    });
}

TEST_CASE("analysis/sampled ratio: targets far from 0 are estimated as their sums would be") {
    const Samples s = clusters(500, 4, 1, false);
    const double mean = 50.0, step = 1.0;
    Samples moved = s, plain = s;
    for (std::size_t i = 0; i < s.y.size(); ++i) {
        moved.y[i] = static_cast<float>(s.y[i] + step);
        plain.y[i] = static_cast<float>(s.y[i] + mean);
    }
    for_each_backend([&](Backend& backend) {
        const Loaded centred_on(backend, s), moved_on(backend, moved), plain_on(backend, plain);
        const Grid grid = even_grid(s, 1.0, 40.0, 6);
        const std::vector<std::int64_t> rows = random_rows(s.n, 100, 4);
        const CentredTargets targets{centred_on.y, moved_on.y, mean, step};
        const RowEnergies found = row_energies(backend, centred_on.x, targets, grid, rows);
        const RowEnergies expected = row_energies(backend, plain_on.x, plain_on.y, grid, rows);
        for (std::size_t i = 0; i < found.filtered.size(); ++i)
            CHECK(found.filtered[i] == doctest::Approx(expected.filtered[i]).epsilon(1e-4));
        for (std::size_t i = 0; i < found.whole.size(); ++i)
            CHECK(found.whole[i] == doctest::Approx(expected.whole[i]).epsilon(1e-5));
    });
}

TEST_CASE("analysis/sampled ratio: a sample without targets other than 0 is refused") {
    CHECK_THROWS_WITH_AS(estimate_ratio(Grid{1.0, 2.0}, {{0.0, 0.0}, {0.0}}, 9),
                         doctest::Contains("all targets of the 1 sampled rows are 0"), InputError);
}

TEST_CASE("analysis/spectrum: rows drawn at random stand for all, with standard errors") {
    const Samples s = clusters(3000, 8, 4, true);
    for_each_backend([&](Backend& backend) {
        const Loaded on(backend, s);
        const std::vector<SampleSource> sources{{"the set", [&] { return SampleTensors{on.x, on.y}; }}};
        SpectrumOptions options;
        options.rows = 500;
        std::vector<double> told;
        options.progress = [&](const std::string& name, double share) {
            CHECK(name == "the set");
            told.push_back(share);
        };
        const auto measure = [&] { return measure_spectra(backend, sources, options, [](const auto&) {}); };
        const std::vector<Spectrum> first = measure();
        REQUIRE(first.size() == 1);
        CHECK(told.back() == 1.0);
        CHECK(std::ranges::is_sorted(told));
        const Spectrum& found = first[0];
        CHECK(found.lfr_error.size() == found.lfr.value.size());
        CHECK(found.rdf_error.size() == found.rdf.value.size());
        const FrequencyCurve exact = low_frequency_ratio(backend, on.x, on.y, found.lfr.inv_delta);
        for (std::size_t k = 0; k < exact.value.size(); ++k)
            CHECK(std::fabs(found.lfr.value[k] - exact.value[k]) <= 5.0 * found.lfr_error[k] + 1e-5);
        CHECK(measure()[0].lfr.value == found.lfr.value);
        options.seed = 1;
        CHECK(measure()[0].lfr.value != found.lfr.value);
        options.rows = 0;
        CHECK(measure()[0].lfr_error.empty());
    });
}

}  // namespace deepfreq::tests
