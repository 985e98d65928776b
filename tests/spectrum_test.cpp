#include <doctest/doctest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"
#include "kernels/cpu/spectrum_plan.h"
#include "tests/spectrum_samples.h"

namespace deepfreq::tests {

TEST_CASE("kernels/spectrum: every shape agrees with the oracle") {
    struct Row {
        std::int64_t n, d, c;
    };
    const Row table[] = {{1, 1, 1},     {1, 7, 3},      {2, 1, 2},      {3, 2, 1},      {3, 500, 2},
                         {17, 16, 3},   {17, 784, 10},  {255, 17, 37},  {256, 100, 10}, {257, 7, 10},
                         {257, 33, 12}, {257, 500, 11}, {300, 1, 37},   {513, 32, 2},   {1000, 2, 1},
                         {513, 500, 3}, {600, 33, 2},   {520, 784, 10}, {770, 100, 25}};
    for (const Row& row : table)
        for (const bool one_hot : {true, false})
            check_on_all_grids(one_hot ? "one-hot" : "general", clusters(row.n, row.d, row.c, one_hot));
}

TEST_CASE("kernels/spectrum: every grid agrees with the oracle") {
    for (const bool one_hot : {true, false}) {
        const Samples s = clusters(130, 50, 3, one_hot);
        for (const int count : {1, 2, 3, 31, 33, 129, 1000}) {
            check_against_reference("even", s, even_grid(s, 0.5, 60.0, count));
            check_against_reference("log", s, log_grid(s, 1e-2, 1e4, std::min(count, 130)));
        }
        Grid irregular = {0.0, 0.0, 0.1, 0.2, 0.3, 0.41, 0.5, 3.0, 3.0, 1e6, 1e300};
        check_against_reference("irregular", s, irregular);
        for (double& width : irregular) width /= mean_squared_distance(s);
        check_against_reference("irregular", s, irregular, true);
    }
}

TEST_CASE("kernels/spectrum: scale and offset of the features do not matter") {
    for (const std::int64_t n : {100, 520})
        for (const double scale : {1e-30, 1e-3, 1.0, 1e3, 1e30})
            for (const double offset : {0.0, 10.0, 1000.0}) {
                const auto moved = [&](double value, auto, std::int64_t k) {
                    return scale * (value + offset * (k % 3 == 0 ? -1.0 : 1.0));
                };
                const Samples s = with_features(clusters(n, 60, 4, true), moved);
                const std::string name =
                    "scale " + std::to_string(scale) + ", offset " + std::to_string(offset);
                check_against_reference(name, s, even_grid(s, 0.0, 30.0, 10));
                check_against_reference(name, s, log_grid(s, 1e-2, 1e3, 10), true);
            }
}

TEST_CASE("kernels/spectrum: scale and offset of the targets do not matter") {
    for (const double scale : {1e-40, 1e-3, 1e3, 1e37})
        for (const double offset : {0.0, 100.0}) {
            Samples s = clusters(300, 40, 3, false);
            for (float& value : s.y) value = static_cast<float>(scale * (value + offset) / (1.0 + offset));
            check_on_all_grids("targets of scale " + std::to_string(scale), s);
        }
}

TEST_CASE("kernels/spectrum: constant columns") {
    for (const std::int64_t n : {100, 520}) {
        check_on_all_grids("some columns",
                           with_features(clusters(n, 40, 3, true), [](double value, auto, auto k) {
                               return k % 2 == 0 ? value : 7.1;
                           }));
        check_on_all_grids("all columns",
                           with_features(clusters(n, 40, 3, true), [](double, auto, auto) { return 0.1; }));
    }
}

TEST_CASE("kernels/spectrum: duplicates and near duplicates with other labels") {
    for (const std::int64_t n : {100, 520})
        for (const std::int64_t d : {3, 120})
            for (const bool one_hot : {true, false})
                for (const double apart : {0.0, 1e-6, 1e-4, 1e-2}) {
                    Samples s = clusters(n, d, 5, one_hot);
                    const Floats noise = s.x;
                    for (std::int64_t i = n / 2; i < n; ++i)  // twins of the first half, one in three exact
                        for (std::int64_t k = 0; k < d; ++k)
                            s.x[i * d + k] = static_cast<float>(
                                s.x[(i - n / 2) * d + k] + (i % 3 == 0 ? 0.0 : apart * noise[i * d + k]));
                    const std::string name = "twins " + std::to_string(apart) + " apart";
                    check_against_reference(name, s, even_grid(s, 0.0, 40.0, 10));
                    check_against_reference(name, s, log_grid(s, 1e-1, 1e16, 18));
                    check_against_reference(name, s, log_grid(s, 1e-1, 1e16, 18), true);
                }
}

TEST_CASE("kernels/spectrum: evenly spaced points of an interval") {
    for (const std::int64_t d : {1, 40})
        for (const std::int64_t n : {101, 600}) {
            Samples s = with_features(clusters(n, d, 2, false), [&](double, std::int64_t i, std::int64_t k) {
                return (-1.0 + 2.0 * static_cast<double>(i) / static_cast<double>(n - 1)) /
                       (1.0 + static_cast<double>(k));
            });
            for (std::int64_t i = 0; i < n; ++i) {
                s.y[2 * i] = static_cast<float>(std::sin(10.0 * s.x[i * d]));
                s.y[2 * i + 1] = i % 2 == 0 ? 1.0F : -1.0F;
            }
            check_against_reference("line", s, even_grid(s, 0.0, 400.0, 20));
            check_against_reference("line", s, log_grid(s, 1e-2, 1e9, 25));
            check_against_reference("line", s, log_grid(s, 1e-2, 1e9, 25), true);
        }
}

TEST_CASE("kernels/spectrum: collapsed classes") {
    for (const std::int64_t n : {100, 600})
        for (const double noise : {0.0, 1e-6, 1e-3, 1e-1}) {
            const Samples s = clusters(n, 120, 10, true, 1.0, noise);
            check_against_reference("collapsed", s, even_grid(s, 0.0, 10.0, 10));
            check_against_reference("collapsed", s, log_grid(s, 1e-2, 1e14, 17));
            check_against_reference("collapsed", s, log_grid(s, 1e-2, 1e14, 17), true);
        }
}

TEST_CASE("kernels/spectrum: an outlier that spoils the centre") {
    for (const double outlier : {1e2, 1e4, 1e6})
        for (const bool one_hot : {true, false}) {
            Samples s = clusters(600, 50, 3, one_hot);
            const Grid even = even_grid(s, 0.0, 30.0, 10);
            const Grid log = log_grid(s, 1e-2, 1e3, 15);
            for (std::int64_t k = 0; k < s.d; ++k)
                s.x[400 * s.d + k] = static_cast<float>(outlier * (k % 2 ? 1 : -1));
            check_against_reference("outlier", s, even);
            check_against_reference("outlier", s, log);
            check_against_reference("outlier", s, log, true);
        }
}

TEST_CASE("kernels/spectrum: distances just above the bound of near pairs") {
    // Tight clusters far from the common centre: |x_i - x_j|^2 is a few per cent of |x_i|^2 + |x_j|^2.
    for (const double noise : {0.2, 0.4, 0.55, 0.7})
        check_on_all_grids("just above", clusters(520, 300, 2, true, 1.0, noise));
}

TEST_CASE("kernels/spectrum: columns by the hundred thousand that differ alike lose no digits on the CPU") {
    // In float32 a sum of equal terms errs by up to half an eps of itself each time, always to one side.
    const Samples s = with_features(clusters(8, 1 << 18, 3, true), [](double, std::int64_t i, std::int64_t) {
        return 0.1 * std::sqrt(static_cast<double>(i));
    });
    const std::span cpu(backends_present().data(), 1);
    check_against_reference("alike", s, log_grid(s, 0.01, 100.0, 20), false, cpu);
}

TEST_CASE("kernels/spectrum: many tiny weights beside that of the row itself") {
    // All pairs equally far: at some width every weight is too small to be seen beside 1, and all together
    // are not.
    for (const bool one_hot : {true, false}) {
        const Samples s =
            with_features(clusters(256, 256, 2, one_hot),
                          [](double, std::int64_t i, std::int64_t k) { return i == k ? 1.0 : 0.0; });
        Grid grid;
        for (int k = 0; k < 70; ++k) grid.push_back(14.0 + 0.1 * k);
        check_against_reference("simplex", s, grid);
    }
}

TEST_CASE("kernels/spectrum: classes with one member or none") {
    for (const std::int64_t n : {2, 40, 600}) {
        Samples s = clusters(n, 9, 12, true);
        for (std::int64_t i = 0; i < n; ++i)
            for (std::int64_t k = 0; k < 12; ++k)
                s.y[i * 12 + k] = k == (i == n / 2 ? 11 : 3 + i % 4) ? 1.0F : 0.0F;
        check_on_all_grids("small classes", s);
    }
    check_on_all_grids("more classes than samples", clusters(50, 9, 784, true));
    check_on_all_grids("many columns", clusters(50, 9, 784, false));
}

TEST_CASE("kernels/spectrum: rows that are not one-hot are not taken for it") {
    for (const float odd : {0.0F, 2.0F, -1.0F}) {
        Samples s = clusters(100, 5, 3, true);
        for (std::int64_t k = 0; k < 3; ++k) s.y[99 * 3 + k] = odd;
        check_on_all_grids("last row odd", s);
    }
}

TEST_CASE("kernels/spectrum: sums too large for one pass") {
    // 2000 sums per row: only 3 of the 7 widths and 19 of the 21 blocks of rows fit at once.
    const Samples s = clusters(5200, 2, 2000, true);
    const Grid grid = even_grid(s, 0.0, 100.0, 7);
    for (const TestedBackend& tested : backends_present()) {
        const std::vector<double> in_passes = energy(*tested.backend, s, grid);
        for (const std::size_t k : {1U, 2U, 6U}) {
            const double at_once = energy(*tested.backend, s, {grid[k]})[0];
            CHECK(std::fabs(in_passes[k] - at_once) <= 1e-6 * sum_of_squares(s.y));
        }
    }
}

TEST_CASE("kernels/spectrum: with a thousand classes the sums are still taken at nodes") {
    using spectrum::better_at_nodes;
    CHECK(better_at_nodes({16, 572.0}, {16, 572.0}, 1));
    // 500 dimensions: 36 nodes against 15 passes of 7 widths, or 2. General targets have more to sum.
    CHECK(better_at_nodes({3, 572.0}, {16, 514.0}, 15));
    CHECK_FALSE(better_at_nodes({3, 572.0}, {16, 514.0}, 2));
    CHECK_FALSE(better_at_nodes({3, 36536.0}, {16, 7507.0}, 15));
    CHECK_FALSE(better_at_nodes({0, 572.0}, {16, 514.0}, 99));
    const Samples s = clusters(2100, 60, 1000, true);
    const Grid grid = even_grid(s, 1.0, 100.0, 100);
    for (const TestedBackend& tested : backends_present()) {
        const std::vector<double> at_nodes = energy(*tested.backend, s, grid);
        if (tested.name == "cpu")  // a GPU takes nodes from more samples on
            CHECK(at_nodes != energy(*tested.backend, s, grid, {.sums = FilterSums::AtWidths}));
        for (const std::size_t k : {0U, 1U, 50U, 99U}) {
            const double alone = energy(*tested.backend, s, {grid[k]})[0];
            CHECK(std::fabs(at_nodes[k] - alone) <= 1e-5 * sum_of_squares(s.y));
        }
    }
}

TEST_CASE("kernels/spectrum: narrow filters leave every target as it is") {
    for (const std::int64_t n : {1, 2, 300, 600})
        for (const std::int64_t d : {1, 20, 60})
            for (const bool one_hot : {true, false}) {
                const Samples s = clusters(n, d, 4, one_hot);
                for (const TestedBackend& tested : backends_present()) {
                    const double total = sum_of_squares(s.y);
                    for (const double found : energy(*tested.backend, s, {1e20, 2e20, 3e20, 1e300}))
                        CHECK(std::fabs(found / total - 1.0) <= 1e-12);
                    // Without itself, a sample gets the target of its nearest other.
                    const std::vector<double> nearest =
                        reference::low_frequency_ratio(s.x, s.y, n, {1e20, 1e300}, true);
                    const std::vector<double> found =
                        energy(*tested.backend, s, {1e20, 1e300}, {.exclude_self = true});
                    for (std::size_t k = 0; k < nearest.size(); ++k)
                        CHECK(std::fabs(found[k] / total - nearest[k]) <= 1e-5);
                }
            }
}

TEST_CASE("kernels/spectrum: without itself, a sample's weights do not underflow at any width") {
    // Of columns that narrow, and wide enough for matrix products; evenly spaced points have two nearest
    // others.
    for (const std::int64_t d : {1, 10, 60})
        for (const std::int64_t n : {2, 400, 700})
            for (const bool one_hot : {true, false}) {
                const Samples s = clusters(n, d, 3, one_hot);
                check_against_reference("log", s, log_grid(s, 1e-2, 1e12, 15), true);
                check_against_reference("even", s, even_grid(s, 0.0, 1e4, 40), true);
            }
    Samples line{.n = 600, .d = 1, .c = 1, .x = Floats(600), .y = Floats(600)};
    for (std::size_t i = 0; i < 600; ++i) {
        line.x[i] = static_cast<float>(i) / 600.0F;
        line.y[i] = static_cast<float>(i * 7 % 11);
    }
    check_against_reference("a line", line, log_grid(line, 1e-2, 1e12, 15), true);
}

TEST_CASE("kernels/spectrum: a measurement ends when it is told to, and can be made again") {
    const Samples s = clusters(700, 20, 3, true);
    for (const TestedBackend& tested : backends_present()) {
        Backend& backend = *tested.backend;
        const Buffer x = backend.allocate(s.x.size() * sizeof(float));
        const Buffer y = backend.allocate(s.y.size() * sizeof(float));
        backend.upload<float>(s.x, x.view<float>({s.n, s.d}));
        backend.upload<float>(s.y, y.view<float>({s.n, s.c}));
        const auto measure = [&](bool exclude_self, std::function<bool()> stop) {
            return backend(GaussianLowFrequencyEnergy{
                .samples = {.x = x.view<float>({s.n, s.d}),
                            .y = y.view<float>({s.n, s.c}),
                            .inv_deltas = Grid{0.5, 1.0, 2.0}},
                .params = {.exclude_self = exclude_self, .stop = std::move(stop)}});
        };
        for (const bool exclude_self : {false, true}) {
            CHECK_THROWS_AS(measure(exclude_self, [] { return true; }), Interrupted);
            CHECK(measure(exclude_self, [] { return false; }) == measure(exclude_self, {}));
        }
    }
}

TEST_CASE(
    "kernels/spectrum: features scaled by column are measured as a scaled copy is, and stay as they are") {
    for (const auto& [n, d] : {std::pair{300, 7}, std::pair{700, 50}}) {
        const Samples s = clusters(n, d, 3, n == 700);
        const ScaledSamples with(s);
        const Grid grid = log_grid(with.scaled, 0.01, 100.0, 12);
        for (const TestedBackend& tested : backends_present()) {
            Backend& backend = *tested.backend;
            CHECK(energy(backend, s, grid, {.scale = with.scale()}) == energy(backend, with.scaled, grid));
            const Buffer x = backend.allocate(s.x.size() * sizeof(float));
            backend.upload<float>(s.x, x.view<float>({s.n, s.d}));
            CHECK(backend(SumOfSquares{.x = x.view<float>({s.n, s.d}), .scale = with.scale()}) ==
                  doctest::Approx(sum_of_squares(with.scaled.x)).epsilon(1e-12));
            Floats after(s.x.size());
            backend.download<float>(x.view<float>({s.n, s.d}), after);
            CHECK(after == s.x);
        }
    }
}

TEST_CASE("kernels/spectrum: one sample has nothing but itself") {
    const Samples s = clusters(1, 5, 3, false);
    for (const TestedBackend& tested : backends_present())
        for (const double found : energy(*tested.backend, s, {0.0, 1.0, 2.0, 1e9}))
            CHECK(std::fabs(found / sum_of_squares(s.y) - 1.0) <= 1e-12);
}

TEST_CASE("kernels/spectrum: the widest filter gives the mean") {
    for (const std::int64_t n : {2, 300, 600}) {
        const Samples s = clusters(n, 40, 4, true);
        double mean_energy = 0.0;
        for (std::int64_t k = 0; k < 4; ++k) {
            double members = 0.0;
            for (std::int64_t i = 0; i < n; ++i) members += s.y[i * 4 + k];
            mean_energy += members * members / static_cast<double>(n);
        }
        for (const TestedBackend& tested : backends_present())
            CHECK(energy(*tested.backend, s, {0.0})[0] == doctest::Approx(mean_energy).epsilon(1e-12));
    }
}

TEST_CASE("kernels/spectrum: results repeat bit for bit on any number of threads") {
    const int threads = omp_get_max_threads();
    for (const bool one_hot : {true, false}) {
        const Samples s = clusters(2000, 50, 7, one_hot);
        const Grid grid = even_grid(s, 0.0, 40.0, 37);
        for (const TestedBackend& tested : backends_present()) {
            const std::vector<double> once = energy(*tested.backend, s, grid);
            for (const int count : {1, 2, 3, 7, threads}) {
                omp_set_num_threads(count);
                CHECK(energy(*tested.backend, s, grid) == once);
            }
            omp_set_num_threads(threads);
        }
    }
}

TEST_CASE("kernels/spectrum: arithmetic with denormals is as before afterwards") {
    const Samples s = clusters(20, 3, 2, true);
    for (const TestedBackend& tested : backends_present()) {
        energy(*tested.backend, s, {1.0});
        volatile float smallest = std::numeric_limits<float>::min();
        CHECK(smallest / 2.0F > 0.0F);
    }
}

TEST_CASE("kernels/spectrum: what is not finite is refused by row and column") {
    const auto refused = [](const Samples& s, const char* part) {
        for (const TestedBackend& tested : backends_present())
            CHECK_THROWS_WITH_AS(energy(*tested.backend, s, {1.0}), doctest::Contains(part), InputError);
    };
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
        Samples s = clusters(20, 3, 2, true);
        s.x[7 * 3 + 2] = bad;
        refused(s, "features are not finite at row 7, column 2");
        s = clusters(20, 3, 2, true);
        s.y[11 * 2 + 1] = bad;
        refused(s, "targets are not finite at row 11, column 1");
    }
}

TEST_CASE("kernels/spectrum: a grid that descends or is not finite is refused, an empty one is empty") {
    const Samples s = clusters(20, 3, 2, true);
    for (const TestedBackend& tested : backends_present()) {
        CHECK_THROWS_AS(energy(*tested.backend, s, {2.0, 1.0}), InputError);
        CHECK_THROWS_AS(energy(*tested.backend, s, {-1.0}), InputError);
        CHECK_THROWS_AS(energy(*tested.backend, s, {std::numeric_limits<double>::infinity()}), InputError);
        CHECK(energy(*tested.backend, s, {}).empty());
    }
}

}  // namespace deepfreq::tests
