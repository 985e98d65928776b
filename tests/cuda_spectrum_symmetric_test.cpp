#include <doctest/doctest.h>

#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "tests/spectrum_on_host.h"

// The CUDA backend's sums that take every pair once, on the host.

namespace deepfreq {
namespace {

using namespace cuda;
using namespace cuda::spectrum;

using tests::clusters;
using tests::even_grid;
using tests::few_inputs_only;
using tests::HostDevice;
using tests::log_grid;
using tests::worst_difference;

constexpr std::int64_t much = std::int64_t{1} << 30;

using Set = tests::Samples;  // the kernels have a Samples of their own

/// Those of a device on which so many blocks run at the same time. All distances are products.
Limits limits_of(std::int64_t resident_blocks) {
    return {.resident_blocks = resident_blocks, .direct_rows = 0, .tiles_at_once = 2};
}

/// n samples in c clusters, in the order in which the backend takes them: class by class.
Set sorted_clusters(std::int64_t n, std::int64_t d, std::int64_t c, double centre = 0.5, double noise = 1.0) {
    const Set from = clusters(n, d, c, true, centre, noise);
    Set to{n, d, c, {}, {}};
    for (std::int64_t label = 0; label < c; ++label)
        for (std::int64_t i = 0; i < n; ++i) {
            if (from.y[i * c + label] == 0.0F) continue;
            to.x.insert(to.x.end(), from.x.begin() + i * d, from.x.begin() + (i + 1) * d);
            to.y.insert(to.y.end(), from.y.begin() + i * c, from.y.begin() + (i + 1) * c);
        }
    return to;
}

/// Of every row and width, in the backend's order, and in how many blocks they were computed.
struct Energies {
    std::vector<double> value;
    std::int64_t blocks_run;
};

Energies energies(const Set& s, const std::vector<double>& grid, const Limits& limits,
                  const LowFrequencyParams& params = {}, const tests::Rows& rows = {}) {
    HostDevice device(limits);
    std::vector<double> value = tests::row_energies(device, s, grid, rows, params);
    return {std::move(value), device.blocks_run()};
}

std::vector<double> expected_energies(const Set& s, const std::vector<double>& grid) {
    std::vector<double> all;
    for (std::int64_t row = 0; row < s.n; ++row) {
        const std::vector<double> of_row = reference::low_frequency_energy(s.x, s.y, s.n, grid, false, {row});
        all.insert(all.end(), of_row.begin(), of_row.end());
    }
    return all;
}

}  // namespace

TEST_CASE("kernels/cuda spectrum: every two parts make one square") {
    for (const int parts : {1, 2, 3, 4, 22, 45}) {
        std::set<std::pair<int, int>> seen;
        for (std::int64_t i = 0; i < squares_of(parts); ++i) {
            const Square square = square_of(i, parts);
            CHECK(square.rows >= 0);
            CHECK(square.rows <= square.columns);
            CHECK(square.columns < parts);
            seen.insert({square.rows, square.columns});
        }
        CHECK(std::ssize(seen) == squares_of(parts));
    }
}

TEST_CASE("kernels/cuda spectrum: a pair is taken once where that fits and saves time") {
    const Limits h100{.tiles_at_once = 2};
    const auto pass_of = [&](std::int64_t n, int chunks = 32, std::int64_t classes = 10, int nodes = 35) {
        return [=](const Limits& limits) {
            const Problem problem{n, n, nodes, classes, 1};
            const Pass pass = or_symmetric(plan_pass_at_nodes(problem, limits), problem,
                                           cost_of_distance(chunks, chunks <= 2), limits);
            if (pass.symmetric) {
                CHECK(pass_bytes(problem, pass) <= limits.symmetric_bytes);
                CHECK(pass.nodes == nodes);
                CHECK(pass.row_blocks == blocks_for(n, tile_rows));
                CHECK(pass.parts <= pass.row_blocks);
            }
            return pass;
        };
    };
    CHECK(pass_of(40000)(h100).parts == 32);  // the benchmark's: 528 squares, as many as run in two waves
    for (const std::int64_t n : {10000, 20000, 30000, 40000, 60000, 100000})
        for (const std::int64_t multiprocessors : {108, 132, 148})  // A100, H100, B200
            CHECK(pass_of(n)({.resident_blocks = 2 * multiprocessors, .tiles_at_once = 2}).symmetric);
    CHECK(pass_of(120000)(h100).symmetric);
    CHECK(pass_of(10000, 32, 100)(h100).symmetric);
    CHECK(pass_of(40000, 4, 10, 1)(h100).symmetric);
    for (const std::int64_t n : {1, 128, 129, 1000, 3000}) CHECK(!pass_of(n)(h100).symmetric);
    CHECK(!pass_of(40000, 4)(h100).symmetric);        // it saves distances, and these cost little
    CHECK(!pass_of(40000, 32, 100)(h100).symmetric);  // too large
    CHECK(!pass_of(130000)(h100).symmetric);
    CHECK(!pass_of(30000000)(h100).symmetric);
    CHECK(!pass_of(40000)({.tiles_at_once = 2, .symmetric_bytes = 256 << 20}).symmetric);
    CHECK(!pass_of(40000)({.tiles_at_once = 1}).symmetric);
}

TEST_CASE("kernels/cuda spectrum: parts that make squares begin at whole blocks of rows") {
    const std::vector<std::int64_t> starts = {0, 100, 300, 300, 1000};
    for (const int parts : {1, 3, 8}) {
        const Partition found = partition(starts, parts, tile_rows);
        for (int part = 0; part < parts; ++part)
            CHECK(found.segments[found.first_segment[part]].first % tile_rows == 0);
    }
}

TEST_CASE(
    "kernels/cuda spectrum: sums that take a pair once agree with the oracle and with those that do not") {
    struct Row {
        std::int64_t n, d, c, resident, bytes;
        bool direct;
        FilterSums sums;
        int parts;
    };
    // Classes begin within blocks of rows, and one block has several. Parts have one block of rows, then two, then
    // one or two. The last is not full.
    for (const Row& row : {Row{500, 64, 3, 1, much, false, FilterSums::AtWidths, 4},
                           Row{500, 64, 30, 1, much, false, FilterSums::AtWidths, 4},
                           Row{500, 80, 3, 1, much, true, FilterSums::AtNodes, 4},
                           Row{500, 128, 3, 3, much, false, FilterSums::AtWidths, 2},
                           Row{850, 80, 3, 10, 90000, true, FilterSums::AtWidths, 4}}) {
        if (few_inputs_only && row.n > 500) continue;
        INFO("n ", row.n, " d ", row.d, " c ", row.c, " parts ", row.parts);
        const Set s = sorted_clusters(row.n, row.d, row.c);
        const std::vector<double> grid = even_grid(s, 0.0, 40.0, 3);
        Limits limits = limits_of(row.resident);
        limits.symmetric_bytes = row.bytes;
        if (row.direct) limits.direct_rows = row.n;
        const Energies once = energies(s, grid, limits, {.sums = row.sums});
        CHECK(once.blocks_run == squares_of(row.parts));
        CHECK(worst_difference(once.value, expected_energies(s, grid)) <= 1e-5);
        limits.tiles_at_once = 1;
        const Energies twice = energies(s, grid, limits, {.sums = row.sums});
        CHECK(worst_difference(once.value, twice.value) <= 1e-6);
    }
}

TEST_CASE("kernels/cuda spectrum: only one-hot targets that all give and receive take a pair once") {
    const Set s = clusters(500, 64, 3, true);
    const std::vector<double> grid = even_grid(s, 0.0, 40.0, 3);
    const Limits limits = limits_of(1);
    const LowFrequencyParams at_widths{.sums = FilterSums::AtWidths};
    CHECK(energies(s, grid, limits, at_widths).blocks_run == squares_of(4));
    CHECK(energies(clusters(500, 64, 3, false), grid, limits, at_widths).blocks_run == 4);
    CHECK(energies(s, grid, limits, {.exclude_self = true, .sums = FilterSums::AtWidths}).blocks_run ==
          4 + 4);  // and the blocks that find the nearest
    CHECK(energies(s, grid, limits, at_widths, tests::all_rows(s.n)).blocks_run == 4);
}

TEST_CASE("kernels/cuda spectrum: near pairs and duplicates, each taken once, agree with the oracle") {
    Set s = sorted_clusters(500, 128, 3, 1.0, 0.3);
    for (std::int64_t i = 250; i < s.n; ++i)  // twins of the first half, in other blocks of rows
        for (std::int64_t k = 0; k < s.d; ++k) s.x[i * s.d + k] = s.x[(i - 250) * s.d + k];
    const std::vector<double> grid = log_grid(s, 1e-1, 1e8, 3);
    const Energies once = energies(s, grid, limits_of(1));
    CHECK(once.blocks_run == squares_of(4));
    CHECK(worst_difference(once.value, expected_energies(s, grid)) <= 1e-5);
}

TEST_CASE(
    "kernels/cuda spectrum: sums that take a pair once do not depend on the order of blocks and threads") {
    const Set s = clusters(500, 128, 3, true);
    const std::vector<double> grid = even_grid(s, 0.0, 40.0, 3);
    const Energies in_order = energies(s, grid, limits_of(3));
    CHECK(in_order.blocks_run == squares_of(2));
    for (const std::uint32_t order : {2, 77}) {
        tests::host_order = order;
        CHECK(energies(s, grid, limits_of(3)).value == in_order.value);
    }
    tests::host_order = 1;
}

}  // namespace deepfreq
