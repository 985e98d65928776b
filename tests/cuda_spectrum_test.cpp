#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <string>
#include <vector>

#include "tests/spectrum_on_host.h"

// The CUDA backend's spectrum on the host: the same driver and the same kernels, with plain loops in place of
// the matrix units and of the library's sort.

namespace deepfreq {
namespace {

using namespace cuda;
using namespace cuda::spectrum;

using tests::clusters;
using tests::even_grid;
using tests::HostDevice;
using tests::log_grid;
using tests::worst_difference;

constexpr std::int64_t much = std::int64_t{1} << 30;
constexpr Limits by_products{1, much, 0, 2};
constexpr Limits by_differences{1, much, 1 << 20, 1};

using Set = tests::Samples;  // the kernels have a Samples of their own

/// LFR of every width, as the CUDA backend computes it.
std::vector<double> ratio(const Set& s, const std::vector<double>& grid, const Limits& limits,
                          const LowFrequencyParams& params = {}, std::int64_t* blocks_run = nullptr) {
    HostDevice device(limits);
    std::vector<double> found = tests::energy(device, s, grid, params);
    const double total = tests::sum_of_squares(s.y);
    for (double& value : found) value /= total;
    if (blocks_run != nullptr) *blocks_run = device.blocks_run();
    return found;
}

/// With sums at widths where those with i = j are at nodes, and the other way round: on the host a block is
/// slow.
void check_against_reference(const std::string& name, const Set& s, const std::vector<double>& grid,
                             const Limits& limits, bool exclude_self = false, bool both = false) {
    const std::vector<double> expected = reference::low_frequency_ratio(s.x, s.y, s.n, grid, exclude_self);
    for (const FilterSums sums : {FilterSums::AtWidths, FilterSums::AtNodes}) {
        if (!both && exclude_self != (sums == FilterSums::AtWidths)) continue;
        const LowFrequencyParams params{.exclude_self = exclude_self, .sums = sums};
        const double worst = worst_difference(ratio(s, grid, limits, params), expected);
        INFO(name, sums == FilterSums::AtNodes ? ", at nodes" : ", at widths", ": n ", s.n, " d ", s.d, " c ",
             s.c, " error ", worst);
        CHECK(worst <= 1e-5);
    }
}

}  // namespace

TEST_CASE("kernels/cuda spectrum: every shape agrees with the oracle, by products and by differences") {
    struct Row {
        std::int64_t n, d, c;
    };
    for (const Row& row : {Row{1, 1, 1}, Row{2, 70, 2}, Row{17, 16, 3}, Row{130, 70, 12}, Row{150, 33, 3}})
        for (const bool one_hot : {true, false})
            for (const Limits& limits : {by_products, by_differences}) {
                const Set s = clusters(row.n, row.d, row.c, one_hot);
                const std::string name = one_hot ? "one-hot" : "general";
                constexpr bool both = !tests::few_inputs_only;
                check_against_reference(name + ", even", s, even_grid(s, 0.0, 40.0, 37), limits, false, both);
                check_against_reference(name + ", log", s, log_grid(s, 1e-3, 1e3, 9), limits, true, both);
            }
}

TEST_CASE(
    "kernels/cuda spectrum: any grid, in several passes of rows and widths, and in any number of parts") {
    for (const bool one_hot : {true, false}) {
        const Set s = clusters(300, 40, 3, one_hot);
        const std::vector<double> grid = even_grid(s, 0.0, 40.0, 20);
        const std::vector<double> expected = reference::low_frequency_ratio(s.x, s.y, s.n, grid, false);
        const std::vector<double> once = ratio(s, grid, {1, much, 0, 1});
        CHECK(worst_difference(ratio(s, grid, {1, much, 0, 2}), once) <= 1e-6);  // two tiles at once
        std::int64_t blocks_run = 0;
        const std::vector<double> in_parts = ratio(s, grid, {12, much, 0}, {}, &blocks_run);
        CHECK(blocks_run == 15);  // three blocks of rows in five parts
        CHECK(worst_difference(in_parts, once) <= 1e-6);
        CHECK(worst_difference(in_parts, expected) <= 1e-5);
        CHECK(ratio(s, grid, {12, much, 0}) == in_parts);  // bit for bit
        const Limits little{1, 60 << 10, 0};
        const Pass pass = plan_pass_at_widths({s.n, s.n, 20, one_hot ? 3 : 1, one_hot ? 1 : 4}, little);
        CHECK(pass.row_blocks == 1);
        CHECK(pass.nodes == (one_hot ? 2 : 1) * longest_chain);
        const std::vector<double> in_passes = ratio(s, grid, little, {}, &blocks_run);
        CHECK(blocks_run == 3 * blocks_for(20, pass.nodes) * pass.parts);
        CHECK(worst_difference(in_passes, once) <= 1e-6);
    }
    {  // one block of rows at a time, but at nodes
        const Set s = clusters(300, 40, 3, false);
        const std::vector<double> grid = even_grid(s, 0.0, 40.0, 20);
        const LowFrequencyParams params{.sums = FilterSums::AtNodes};
        std::int64_t blocks_run = 0;
        const std::vector<double> in_passes = ratio(s, grid, {1, 200 << 10, 0}, params, &blocks_run);
        CHECK(blocks_run == 3);
        CHECK(worst_difference(in_passes, ratio(s, grid, {1, much, 0}, params)) <= 1e-6);
    }
    const Set s = clusters(40, 20, 3, true);
    for (const int count : {1, 2, 3, 33}) {
        check_against_reference("even", s, even_grid(s, 0.5, 60.0, count), by_differences);
        check_against_reference("log", s, log_grid(s, 1e-2, 1e4, count), by_differences);
    }
    std::vector<double> irregular = {0.0, 0.0, 0.1, 0.2, 0.3, 0.41, 0.5, 3.0, 3.0, 1e6, 1e300};
    check_against_reference("irregular", s, irregular, by_differences);
    for (double& width : irregular) width /= mean_squared_distance(s);
    check_against_reference("irregular", s, irregular, by_differences, true);
}

TEST_CASE("kernels/cuda spectrum: scale, offset and constant columns do not matter") {
    for (const double scale : {1e-30, 1e-6, 1e6, 1e30})
        for (const double offset : {0.0, 100.0}) {
            Set s = clusters(70, 60, 4, true);
            for (std::int64_t i = 0; i < s.n * s.d; ++i) {
                const std::int64_t k = i % s.d;
                const double moved = s.x[i] + offset * (k % 3 == 0 ? -1.0 : 1.0);
                s.x[i] = static_cast<float>(scale * (k % 7 == 0 ? 7.1 : moved));
            }
            const std::string name = "scale " + std::to_string(scale) + ", offset " + std::to_string(offset);
            check_against_reference(name, s, even_grid(s, 0.0, 30.0, 10), by_products);
            check_against_reference(name, s, log_grid(s, 1e-2, 1e3, 10), by_products, true);
        }
    for (const double constant : {1.0, 1e30, 3e38})  // beside columns of 1e-6, in float32 and in double
        for (const bool offset : {false, true}) {
            Set s = clusters(70, 40, 3, true);
            for (std::int64_t i = 0; i < s.n * s.d; ++i)
                s.x[i] = static_cast<float>(i % s.d == 7 ? constant : 1e-6 * s.x[i] + (offset ? 1e-3 : 0.0));
            check_against_reference("a large constant", s, even_grid(s, 0.0, 30.0, 10), by_products);
            check_against_reference("a large constant", s, log_grid(s, 1e-2, 1e3, 10), by_differences, true);
        }
    Set s = clusters(70, 40, 3, true);
    std::fill(s.x.begin(), s.x.end(), 0.1F);
    check_against_reference("all constant", s, even_grid(s, 0.0, 40.0, 35), by_products, true);
    for (const double scale : {1e-40, 1e37}) {
        Set targets = clusters(70, 40, 3, false);
        for (float& value : targets.y) value = static_cast<float>(scale * (value + 100.0) / 101.0);
        check_against_reference("targets", targets, even_grid(targets, 0.0, 40.0, 20), by_products);
    }
}

TEST_CASE("kernels/cuda spectrum: features scaled by column are measured as a scaled copy is") {
    const Set s = clusters(150, 40, 3, true);
    const tests::ScaledSamples with(s);
    const std::vector<double> grid = log_grid(with.scaled, 0.1, 10.0, 4);
    for (const Limits& limits : {by_products, by_differences})
        CHECK(ratio(s, grid, limits, {.scale = with.scale()}) == ratio(with.scaled, grid, limits));
}

TEST_CASE("kernels/cuda spectrum: duplicates, near duplicates and collapsed classes") {
    for (const bool one_hot : {true, false})
        for (const double apart : {0.0, 1e-6, 1e-2}) {
            Set s = clusters(80, 50, 5, one_hot);
            const std::vector<float> noise = s.x;
            for (std::int64_t i = s.n / 2; i < s.n; ++i)  // twins of the first half, one in three exact
                for (std::int64_t k = 0; k < s.d; ++k)
                    s.x[i * s.d + k] = static_cast<float>(
                        s.x[(i - s.n / 2) * s.d + k] +
                        (i % 3 == 0 ? 0.0 : apart * static_cast<double>(noise[i * s.d + k])));
            const std::string name = "twins " + std::to_string(apart) + " apart";
            check_against_reference(name, s, log_grid(s, 1e-1, 1e16, 18), by_products);
            check_against_reference(name, s, even_grid(s, 0.0, 40.0, 10), by_products, true);
        }
    for (const double noise : {0.0, 1e-3, 1e-1}) {
        const Set s = clusters(100, 60, 4, true, 1.0, noise);
        check_against_reference("collapsed", s, log_grid(s, 1e-2, 1e14, 17), by_products, true);
    }
}

TEST_CASE("kernels/cuda spectrum: columns by the thousand that differ alike lose no digits") {
    // A float sum of equal terms errs by up to half an eps of itself each time, always to one side.
    if (tests::few_inputs_only) return;
    for (const std::int64_t d : {784, 3072})
        for (const bool two_values : {true, false}) {
            Set s = clusters(20, d, 3, true);
            for (std::int64_t i = 0; i < s.n * s.d; ++i) {
                const std::int64_t row = i / s.d;
                s.x[i] = static_cast<float>(
                    0.1 * (two_values ? static_cast<double>(row % 2) : std::sqrt(static_cast<double>(row))));
            }
            for (const Limits& limits : {by_products, by_differences})
                check_against_reference("alike", s, log_grid(s, 0.01, 100.0, 20), limits);
        }
}

TEST_CASE("kernels/cuda spectrum: features of few effective dimensions, of whose pairs some are near") {
    for (const std::int64_t dimension : {2, 5, 10, 15, 20}) {
        if (tests::few_inputs_only && dimension != 10) continue;
        const Set s = tests::spread(clusters(180, dimension, 3, true), 96);
        check_against_reference("few dimensions", s, even_grid(s, 0.0, 40.0, 35), by_products);
        check_against_reference("few dimensions", s, log_grid(s, 1e-2, 1e6, 17), by_products, true);
    }
}

TEST_CASE("kernels/cuda spectrum: distances just above the bound of near pairs, and outliers") {
    for (const double noise : {0.4, 0.55}) {
        const Set s = clusters(150, 200, 2, true, 1.0, noise);
        check_against_reference("just above", s, even_grid(s, 0.0, 40.0, 35), by_products);
        check_against_reference("just above", s, even_grid(s, 0.0, 40.0, 35), by_products, true);
    }
    for (const double outlier : {1e4, 1e6}) {
        Set s = clusters(150, 50, 3, true);
        const std::vector<double> grid = even_grid(s, 0.0, 30.0, 10);
        for (std::int64_t k = 0; k < s.d; ++k) {  // two that leave the centre where it is, but set the unit
            s.x[70 * s.d + k] = static_cast<float>(outlier * (k % 2 == 0 ? 1 : -1));
            s.x[71 * s.d + k] = -s.x[70 * s.d + k];
        }
        check_against_reference("two outliers", s, grid, by_products);
        check_against_reference("two outliers", s, grid, by_products, true);
        for (std::int64_t k = 0; k < s.d; ++k) s.x[71 * s.d + k] = 0.0F;  // one that spoils it
        check_against_reference("an outlier", s, grid, by_products);
    }
}

TEST_CASE("kernels/cuda spectrum: the device's exp2 may err by 2^-22, to whichever side") {
    struct Restored {
        float (*before)(float) = exp2_error;
        ~Restored() { exp2_error = before; }
    } const restored;
    float (*const errors[])(float) = {[](float) { return 0x1p-22F; }, [](float) { return -0x1p-22F; },
                                      [](float exponent) {
                                          std::uint32_t bits = 0;
                                          std::memcpy(&bits, &exponent, sizeof bits);
                                          return (bits * 2654435761U >> 31) != 0 ? 0x1p-22F : -0x1p-22F;
                                      }};
    for (float (*const error)(float) : errors) {
        if (tests::few_inputs_only && error != errors[2]) continue;
        exp2_error = error;
        for (const bool one_hot : {true, false}) {
            const Set s = clusters(150, 40, 3, one_hot);
            check_against_reference("exp2", s, even_grid(s, 0.0, 40.0, 37), by_products);
            check_against_reference("exp2", s, even_grid(s, 0.0, 40.0, 37), by_products, true);
            check_against_reference("exp2", s, log_grid(s, 1e-3, 1e3, 9), by_differences);
        }
    }
    CHECK(power_of_half(0.0F) == 1.0F);
    CHECK(power_of_half(1e-40F) == 1.0F);  // a subnormal counts as 0
    CHECK(power_of_half(1.0F) != 0.5F);
    CHECK(power_of_half(126.5F) == 0.0F);  // so does one that comes out
}

TEST_CASE("kernels/cuda spectrum: the results do not depend on the order of blocks and threads") {
    for (const bool one_hot : {true, false}) {
        const Set s = clusters(300, 40, 3, one_hot);
        const std::vector<double> grid = even_grid(s, 0.0, 40.0, 20);
        const std::vector<double> in_order = ratio(s, grid, {12, much, 0});
        for (const std::uint32_t order : {2, 77, 12345}) {
            tests::host_order = order;
            CHECK(ratio(s, grid, {12, much, 0}) == in_order);
        }
        tests::host_order = 1;
    }
}

TEST_CASE(
    "kernels/cuda spectrum: a listed row's energies are its own, in every bit, whatever else is listed") {
    // Dense clusters: more pairs of a tile are near than are listed at once.
    for (const double noise : {0.1, 1.0})
        for (const bool one_hot : {true, false}) {
            if (tests::few_inputs_only && noise > 0.5) continue;
            const Set s = clusters(150, 40, 3, one_hot, 1.0, noise);
            const std::vector<double> grid = even_grid(s, 0.0, 40.0, 7);
            for (const bool exclude_self : {false, true}) {
                if (tests::few_inputs_only && exclude_self != one_hot) continue;
                const LowFrequencyParams params{.exclude_self = exclude_self};
                // Passes of one block of rows, of all, and of some of the widths.
                for (const Limits& limits :
                     {Limits{6, 400 << 10, 0, 2}, Limits{6, much, 0, 1}, Limits{6, 20 << 10, 0, 1}}) {
                    if (tests::few_inputs_only && limits.workspace_bytes == much) continue;
                    HostDevice device(limits);
                    const std::vector<double> of_all =
                        tests::row_energies(device, s, grid, tests::all_rows(s.n), params);
                    for (const tests::Rows& rows : {tests::Rows{149}, {100, 3, 100, 64}}) {
                        const std::vector<double> found = tests::row_energies(device, s, grid, rows, params);
                        for (std::size_t r = 0; r < rows.size(); ++r) {
                            const std::vector<double> expected =
                                reference::low_frequency_energy(s.x, s.y, s.n, grid, exclude_self, {rows[r]});
                            for (std::size_t k = 0; k < grid.size(); ++k) {
                                CHECK(found[r * grid.size() + k] ==
                                      of_all[static_cast<std::size_t>(rows[r]) * grid.size() + k]);
                                CHECK(std::fabs(found[r * grid.size() + k] - expected[k]) <=
                                      1e-5 * (tests::sum_of_squares(s.y) / 150.0 + expected[k]));
                            }
                        }
                    }
                }
            }
        }
}

TEST_CASE("kernels/cuda spectrum: many tiny weights beside that of the row itself") {
    for (const bool one_hot : {true, false}) {
        Set s = clusters(130, 130, 2, one_hot);
        for (std::int64_t i = 0; i < s.n * s.d; ++i) s.x[i] = i / s.d == i % s.d ? 1.0F : 0.0F;
        std::vector<double> grid;
        grid.reserve(70);
        for (int k = 0; k < 70; ++k) grid.push_back(14.0 + 0.1 * k);
        check_against_reference("simplex", s, grid, by_products);
    }
}

TEST_CASE("kernels/cuda spectrum: classes with one member or none, and rows that are almost one-hot") {
    Set s = clusters(40, 9, 12, true);
    for (std::int64_t i = 0; i < s.n; ++i)
        for (std::int64_t k = 0; k < s.c; ++k)
            s.y[i * s.c + k] = k == (i == 20 ? 11 : 3 + i % 4) ? 1.0F : 0.0F;
    check_against_reference("small classes", s, even_grid(s, 0.0, 40.0, 5), by_products);
    const Set many = clusters(12, 9, 100, true);
    check_against_reference("more classes than samples", many, even_grid(many, 0.0, 40.0, 5), by_products);
    const Set columns = clusters(12, 9, 100, false);
    check_against_reference("many columns", columns, even_grid(columns, 0.0, 40.0, 5), by_products);
    for (const std::int64_t targets : {7, 8, 15, 16, 31})  // beside them the 1 that sums the weights
        check_against_reference("targets", clusters(40, 9, targets, false), {0.5, 3.0}, by_products);
    for (const float odd : {0.0F, 2.0F}) {
        Set almost = clusters(40, 5, 3, true);
        for (std::int64_t k = 0; k < 3; ++k) almost.y[39 * 3 + k] = odd;
        check_against_reference("last row odd", almost, even_grid(almost, 0.0, 40.0, 5), by_products);
    }
}

TEST_CASE(
    "kernels/cuda spectrum: the narrowest filters leave every target or give that of the nearest other, the "
    "widest the mean") {
    for (const bool one_hot : {true, false})
        for (const Limits& limits : {by_products, by_differences}) {
            const Set s = clusters(70, 20, 4, one_hot);
            for (const double found : ratio(s, {1e20, 2e20, 3e20, 1e300}, limits))
                CHECK(std::fabs(found - 1.0) <= 1e-12);
            check_against_reference("narrow, without self", s, {1e-2, 1.0, 1e2, 1e4, 1e8, 1e20, 1e300},
                                    limits, true);
        }
    const Set s = clusters(100, 40, 4, true);
    double mean_energy = 0.0;
    for (std::int64_t k = 0; k < s.c; ++k) {
        double members = 0.0;
        for (std::int64_t i = 0; i < s.n; ++i) members += s.y[i * s.c + k];
        mean_energy += members * members / static_cast<double>(s.n);
    }
    CHECK(ratio(s, {0.0}, by_products)[0] ==
          doctest::Approx(mean_energy / static_cast<double>(s.n)).epsilon(1e-12));
}

}  // namespace deepfreq
