#include <doctest/doctest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "analysis/sampled_ratio.h"
#include "common/error.h"
#include "tests/spectrum_samples.h"

// The energies of listed rows, each by itself.

namespace deepfreq::tests {
namespace {

/// The energies of one listed row.
std::vector<double> of_row(const std::vector<double>& energy, std::size_t row, std::size_t widths) {
    const auto first = energy.begin() + static_cast<std::ptrdiff_t>(row * widths);
    return {first, first + static_cast<std::ptrdiff_t>(widths)};
}

/// All rows together, and each by itself.
void check_sum_of_rows(Backend& backend, const Samples& s) {
    const Grid grid = log_grid(s, 1e-2, 1e2, 12);
    const std::vector<double> whole = energy(backend, s, grid);
    const std::vector<double> rows = row_energies(backend, s, grid, all_rows(s.n));
    for (std::size_t k = 0; k < grid.size(); ++k) {
        double sum = 0.0;
        for (std::size_t r = k; r < rows.size(); r += grid.size()) sum += rows[r];
        CHECK(std::fabs(sum - whole[k]) <= 1e-5 * sum_of_squares(s.y));
    }
}

}  // namespace

TEST_CASE("kernels/spectrum rows: every row agrees with the oracle") {
    for (const auto& [n, d] : {std::pair{1, 3}, {2, 40}, {300, 50}, {600, 5}, {600, 40}})
        for (const bool one_hot : {true, false}) {
            const Samples s = clusters(n, d, one_hot ? 5 : 2, one_hot);
            const Rows rows = random_rows(n, 40, 3);
            const Grid grid = even_grid(s, 0.0, 40.0, 20);
            const double of_one = sum_of_squares(s.y) / n;
            for (const bool exclude_self : {false, true})
                for (const FilterSums sums : {FilterSums::AtWidths, FilterSums::AtNodes})
                    for (const TestedBackend& tested : backends_present()) {
                        const std::vector<double> found = row_energies(
                            *tested.backend, s, grid, rows, {.exclude_self = exclude_self, .sums = sums});
                        double worst = 0.0;
                        for (std::size_t r = 0; r < rows.size(); ++r) {
                            const std::vector<double> expected =
                                reference::low_frequency_energy(s.x, s.y, s.n, grid, exclude_self, {rows[r]});
                            for (std::size_t k = 0; k < grid.size(); ++k)
                                worst = std::max(worst, std::fabs(found[r * grid.size() + k] - expected[k]) /
                                                            (of_one + expected[k]));
                        }
                        INFO(tested.name, ": n ", n, " d ", d, one_hot ? " one-hot" : " general");
                        CHECK(worst <= 1e-5);
                    }
        }
}

TEST_CASE("kernels/spectrum rows: a row's energies do not depend on what else is listed, or on threads") {
    const int threads = omp_get_max_threads();
    for (const std::int64_t d : {4, 60})  // by columns, and by products with near pairs
        for (const bool one_hot : {true, false})
            for (const bool exclude_self : {false, true}) {
                const Samples s = clusters(900, d, 3, one_hot, 2.0, 0.5);
                const Grid grid = even_grid(s, 0.0, 40.0, 30);
                const LowFrequencyParams params{.exclude_self = exclude_self};
                for (const TestedBackend& tested : backends_present()) {
                    Backend& backend = *tested.backend;
                    const std::vector<double> all = row_energies(backend, s, grid, all_rows(s.n), params);
                    const auto same = [&](const Rows& rows) {
                        const std::vector<double> found = row_energies(backend, s, grid, rows, params);
                        bool equal = true;
                        for (std::size_t r = 0; r < rows.size(); ++r)
                            equal &= of_row(found, r, grid.size()) ==
                                     of_row(all, static_cast<std::size_t>(rows[r]), grid.size());
                        return equal;
                    };
                    INFO(tested.name, ": d ", d, one_hot ? " one-hot" : " general");
                    CHECK(same({0}));
                    CHECK(same({899}));
                    CHECK(same({17, 899, 17, 3, 450}));  // any order, and twice
                    CHECK(same(random_rows(s.n, 300, 1)));
                    Rows reversed = all_rows(s.n);
                    std::ranges::reverse(reversed);
                    CHECK(same(reversed));
                    for (const int count : {1, 3, 11}) {
                        omp_set_num_threads(count);
                        CHECK(same(all_rows(s.n)));
                        CHECK(same(random_rows(s.n, 100, 2)));
                    }
                    omp_set_num_threads(threads);
                }
            }
}

TEST_CASE("kernels/spectrum rows: all rows together have the energy of the sum") {
    for (const bool one_hot : {true, false})
        for (const TestedBackend& tested : backends_present())
            check_sum_of_rows(*tested.backend, clusters(700, 30, 4, one_hot));
}

TEST_CASE("kernels/spectrum rows: so many that a GPU takes each pair once have the energy of the sum") {
    // 32 parts of four or five blocks of rows on 132 multiprocessors. The CPU always takes a pair once.
    for (const TestedBackend& tested : backends_present())
        check_sum_of_rows(*tested.backend, clusters(tested.name == "cpu" ? 2000 : 20000, 512, 4, true));
}

TEST_CASE("kernels/spectrum rows: more targets than their sums fit at once") {
    const Samples s = clusters(300, 10, 1500, false);
    const Grid grid = even_grid(s, 0.0, 40.0, 12);
    const Rows rows{0, 7, 299};
    for (const TestedBackend& tested : backends_present()) {
        const std::vector<double> found = row_energies(*tested.backend, s, grid, rows);
        for (std::size_t r = 0; r < rows.size(); ++r) {
            const std::vector<double> expected =
                reference::low_frequency_energy(s.x, s.y, s.n, grid, false, {rows[r]});
            for (std::size_t k = 0; k < grid.size(); ++k)
                CHECK(std::fabs(found[r * grid.size() + k] - expected[k]) <= 1e-5 * (1500.0 + expected[k]));
        }
    }
}

TEST_CASE("kernels/spectrum rows: more threads than their sums fit at once") {
    const Samples s = clusters(2100, 60, 1000, true);  // sums at nodes, of three blocks of rows
    const Grid grid = even_grid(s, 0.0, 40.0, 100);
    const Rows rows = random_rows(s.n, 200, 3);
    const int threads = omp_get_max_threads();
    for (const TestedBackend& tested : backends_present()) {
        omp_set_num_threads(8);
        const std::vector<double> of_many = row_energies(*tested.backend, s, grid, rows);
        omp_set_num_threads(1);
        CHECK(row_energies(*tested.backend, s, grid, rows) == of_many);
        omp_set_num_threads(threads);
    }
}

TEST_CASE("kernels/spectrum rows: of a hundred thousand samples, random rows agree with the oracle") {
    // Far pairs by the hundred thousand: an absolute error of each would add up.
    for (const std::int64_t d : {6, 60})
        for (const bool one_hot : {true, false}) {
            const Samples s = clusters(100000, d, one_hot ? 10 : 1, one_hot);
            const Rows rows = random_rows(s.n, 24, static_cast<std::uint64_t>(d));
            double total = 0.0;
            for (const std::int64_t row : rows)
                for (std::int64_t k = 0; k < s.c; ++k) total += std::pow(s.y[row * s.c + k], 2.0);
            const Grid grid = even_grid(s, 0.5, 50.0, 60);
            const std::vector<double> expected =
                reference::low_frequency_energy(s.x, s.y, s.n, grid, false, rows);
            for (const TestedBackend& tested : backends_present()) {
                const std::vector<double> found = row_energies(*tested.backend, s, grid, rows);
                double worst = 0.0;
                for (std::size_t k = 0; k < grid.size(); ++k) {
                    double sum = 0.0;
                    for (std::size_t r = 0; r < rows.size(); ++r) sum += found[r * grid.size() + k];
                    worst = std::max(worst, std::fabs(sum - expected[k]) / total);
                }
                INFO(tested.name, ": d ", d, one_hot ? " one-hot" : " general");
                CHECK(worst <= 1e-5);
                MESSAGE("off by " << worst);
            }
        }
}

TEST_CASE("kernels/spectrum rows: a measurement tells how far it is, and ends when it is told to") {
    const Samples s = clusters(1300, 20, 3, true);
    const Grid grid{0.5, 1.0, 2.0};
    for (const TestedBackend& tested : backends_present())
        for (const bool exclude_self : {false, true})
            for (const bool rows : {false, true}) {
                std::vector<double> told;
                bool stopped = false;
                LowFrequencyParams params{.exclude_self = exclude_self,
                                          .stop = [&] { return stopped; },
                                          .progress = [&](double share) { told.push_back(share); }};
                const auto measure = [&] {
                    return rows ? row_energies(*tested.backend, s, grid, random_rows(s.n, 700, 0), params)
                                : energy(*tested.backend, s, grid, params);
                };
                const std::vector<double> whole = measure();
                REQUIRE(!told.empty());
                CHECK(std::ranges::adjacent_find(told, std::greater_equal{}) == told.end());
                CHECK(told.front() > 0.0);
                CHECK(told.back() == 1.0);
                stopped = true;
                CHECK_THROWS_AS(measure(), Interrupted);
                stopped = false;
                CHECK(measure() == whole);
            }
}

}  // namespace deepfreq::tests
