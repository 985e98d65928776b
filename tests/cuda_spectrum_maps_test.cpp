#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

#include "kernels/cuda/spectrum_driver.h"

// Where everything is in the CUDA backend's spectrum: index maps, tile bounds and the division of the work,
// all of them pure functions.

namespace deepfreq {
namespace {

using namespace cuda;
using namespace cuda::spectrum;

}  // namespace

TEST_CASE("kernels/cuda half: every half comes back, and rounding is to the nearest, ties to even") {
    std::vector<double> values;  // of the halves 0, 1, …, the largest finite, and what would follow
    values.reserve(0x7C01);
    for (std::uint32_t bits = 0; bits < 0x7C00; ++bits) {
        const std::uint32_t exponent = bits >> 10;
        const double fraction = bits & 0x3FFU;
        values.push_back(exponent == 0 ? std::ldexp(fraction, -24)
                                       : std::ldexp(1024.0 + fraction, static_cast<int>(exponent) - 25));
    }
    values.push_back(65536.0);
    for (std::uint32_t bits = 0; bits < 0x7C00; ++bits) {
        const auto half = static_cast<std::uint16_t>(bits);
        const auto negative = static_cast<std::uint16_t>(bits | 0x8000U);
        REQUIRE(static_cast<double>(half_value(half)) == values[bits]);
        REQUIRE(half_value(negative) == -half_value(half));
        REQUIRE(half_bits(half_value(half)) == half);
        REQUIRE(half_bits(half_value(negative)) == negative);
        const auto middle = static_cast<float>((values[bits] + values[bits + 1]) / 2.0);  // exact
        REQUIRE(half_bits(middle) == bits + bits % 2);
        REQUIRE(half_bits(std::nextafter(middle, 0.0F)) == bits);
        REQUIRE(half_bits(std::nextafter(middle, 1e9F)) == bits + 1);
        REQUIRE(half_bits(-middle) == ((bits + bits % 2) | 0x8000U));
    }
    CHECK(half_bits(1e30F) == 0x7C00);
    CHECK(half_bits(1e-30F) == 0);
}

TEST_CASE("kernels/cuda spectrum: fragments cover a tile once, and what a warp reads at once is aligned") {
    std::vector<int> seen(tile_columns * distance_stride, 0);
    for (int thread = 0; thread < tile_rows; ++thread)
        for (int a = 0; a < fragments_down; ++a)
            for (int b = 0; b < fragments_across; ++b)
                for (int i = 0; i < 4; ++i) {
                    const auto [row, column] = product_place(thread, a, b, i);
                    ++seen[distance_of(row, column)];
                }
    for (int row = 0; row < distance_stride; ++row)
        for (int column = 0; column < tile_columns; ++column)
            REQUIRE(seen[distance_of(row, column)] == (row < tile_rows ? 1 : 0));
    for (int thread = 0; thread < tile_rows; ++thread) {  // ldmatrix wants 16 bytes
        for (int a = 0; a < fragments_down; ++a) REQUIRE(row_address(thread, a) % 8 == 0);
        for (int b = 0; b < fragments_across; b += 2) REQUIRE(column_address(thread, b) % 8 == 0);
    }
    CHECK(low_part % 8 == 0);
    CHECK(stage_halves % 8 == 0);
    CHECK(distance_stride % 4 == 0);
    CHECK(stage_of_column(tile_columns - 1) + split_halves <= stage_halves);
    CHECK(offsetof(TileMemory<2>, making) == 0);
    CHECK(offsetof(TileMemory<2>, judging) == 0);
    CHECK(offsetof(TileMemory<2>, made) == 0);
}

TEST_CASE("kernels/cuda spectrum: a warp stores its products to different banks") {
    for (int i = 0; i < 4; ++i) {
        std::set<int> banks;
        for (int lane = 0; lane < 32; ++lane) {
            const auto [row, column] = product_place(lane, 0, 0, i);
            banks.insert(distance_of(row, column) % 32);
        }
        CHECK(banks.size() == 32);
    }
}

TEST_CASE("kernels/cuda spectrum: threads take the differences of every pair of a tile once") {
    std::vector<int> seen(tile_columns * tile_rows, 0);
    for (int thread = 0; thread < tile_rows; ++thread)
        for (int i = 0; i < 8; ++i)
            for (int j = 0; j < 8; ++j)
                ++seen[difference_column(thread, j) * tile_rows + difference_row(thread, i)];
    CHECK(std::all_of(seen.begin(), seen.end(), [](int count) { return count == 1; }));
}

TEST_CASE("kernels/cuda spectrum: parts cover every column once, class by class") {
    const std::vector<std::vector<std::int64_t>> tables = {{0, 1},
                                                           {0, 0, 1, 1},
                                                           {0, 64},
                                                           {0, 65},
                                                           {0, 100, 300},
                                                           {0, 1, 2, 3, 4, 200},
                                                           {0, 0, 0, 777, 777},
                                                           {0, 1000000},
                                                           {0, 63, 64, 500},
                                                           {0, 400000, 400000, 1000000}};
    for (const auto& starts : tables)
        for (const int wanted : {1, 2, 3, 7, 44}) {
            const auto tiles =
                static_cast<int>(std::min<std::int64_t>(44, blocks_for(starts.back(), tile_columns)));
            const int parts = std::min(wanted, tiles);
            const Partition found = partition(starts, parts);
            REQUIRE(found.first_segment.size() == static_cast<std::size_t>(parts) + 1);
            REQUIRE(found.first_segment.front() == 0);
            REQUIRE(found.first_segment.back() == static_cast<std::int32_t>(found.segments.size()));
            std::int64_t next = 0;
            std::int64_t runs = 0;
            std::int32_t label = -1;
            for (const Segment& segment : found.segments) {
                CHECK(segment.first == next);
                CHECK(segment.last > segment.first);
                CHECK(segment.label >= label);
                CHECK(starts[static_cast<std::size_t>(segment.label)] <= segment.first);
                CHECK(starts[static_cast<std::size_t>(segment.label) + 1] >= segment.last);
                runs += segment.label > label ? 1 : 0;
                label = segment.label;
                next = segment.last;
            }
            CHECK(next == starts.back());
            CHECK(static_cast<std::int64_t>(found.segments.size()) <= runs + parts - 1);
            for (int part = 0; part < parts; ++part)  // none is empty, so a block always has work
                CHECK(found.first_segment[static_cast<std::size_t>(part)] <
                      found.first_segment[static_cast<std::size_t>(part) + 1]);
        }
}

TEST_CASE("kernels/cuda spectrum: a pass fits into its memory and fills the device") {
    const Limits limits;  // an H100's
    for (const std::int64_t n : {1, 100, 129, 3000, 10000, 40000, 60000, 1000000, 30000000})
        for (const int nodes : {1, 7, 35, 100, 10000})
            for (const int classes : {1, 10, 784, 20000})
                for (const bool one_hot : {true, false})
                    for (const auto plan : {plan_pass_at_nodes, plan_pass_at_widths}) {
                        const Problem problem{n, n, nodes, one_hot ? std::min<std::int64_t>(n, classes) : 1,
                                              one_hot ? 1 : classes + 1};
                        const Pass pass = plan(problem, limits);
                        INFO("n ", n, " nodes ", nodes, " classes ", classes, " one-hot ", one_hot,
                             ": parts ", pass.parts, " row blocks ", pass.row_blocks, " nodes ", pass.nodes);
                        CHECK(pass_bytes(problem, pass) <= limits.workspace_bytes);
                        CHECK(pass.parts >= 1);
                        CHECK(pass.parts <= blocks_for(n, tile_columns));
                        CHECK(pass.row_blocks >= 1);
                        CHECK(pass.row_blocks <= blocks_for(n, tile_rows));
                        CHECK(pass.nodes >= 1);
                        CHECK(pass.nodes <= nodes);
                        CHECK(pass.row_blocks * pass.parts <= max_blocks);
                        const bool by_widths = plan == plan_pass_at_widths;
                        if (n >= 3000 && classes <= 10 && (by_widths || nodes <= 100))
                            CHECK(pass.row_blocks * pass.parts >= 264);
                    }
    // The benchmark's: one pass.
    const Pass pass = plan_pass_at_nodes({40000, 40000, 35, 10, 1}, limits);
    CHECK(pass.row_blocks == 313);
    CHECK(pass.nodes == 35);
    CHECK(pass.parts == 4);
    // Up to 250 general targets stay at nodes; 1000 would leave the device idle.
    for (const int targets : {10, 24, 100, 250})
        CHECK(plan_pass_at_nodes({40000, 40000, 35, 1, targets + 1}, limits).nodes == 35);
    CHECK(plan_pass_at_nodes({40000, 40000, 35, 1, 1001}, limits).nodes < 35);
}

TEST_CASE("kernels/cuda spectrum: a compensated sum does not lose what a sum of floats does") {
    constexpr int terms = 10000;
    math::CompensatedSum sum{0.0F, 0.0F};
    float plain = 0.0F;
    double exact = 0.0;
    for (int i = 0; i < terms; ++i) {
        const float x = 64.0F / static_cast<float>(1 + i % 97);
        sum = math::add(sum, x);
        plain += x;
        exact += static_cast<double>(x);
    }
    // What is rounded off is at most terms * 2^-24 of the sum, and loses as much of itself.
    const double bound = terms * 0x1p-24 * terms * 0x1p-24 * exact;
    CHECK(std::fabs(static_cast<double>(sum.high) + static_cast<double>(sum.low) - exact) <= bound);
    CHECK(std::fabs(static_cast<double>(plain) - exact) > bound);
}

}  // namespace deepfreq
