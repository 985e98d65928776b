#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <vector>

#include "common/philox.h"
#include "kernels/cuda/spectrum_targets.h"
#include "tests/host_device.h"

// Sums of weights times general targets as the GPU makes them, with a matrix unit that truncates as much as any
// is known to.

namespace deepfreq::tests {
namespace {

using namespace cuda;
using namespace cuda::spectrum;

constexpr int columns = 2 * tile_columns;

/// The sums of one block, whose rows all have the same distances.
struct SumTargets {
    static constexpr int threads = tile_rows;
    using Shared = TileMemory<2>;
    const float* distance;  ///< [columns]
    const float* y;         ///< [columns][targets]
    int targets;
    Nodes nodes;
    math::CompensatedSum* sums;  ///< [targets][nodes][tile_rows]

    template <class Block>
    void operator()(Block& block, Shared& shared) const {
        for (int j = 0; j < columns; ++j) shared.made.distance[distance_of(block.thread(), j)] = distance[j];
        add_all_targets<MatrixUnitOnHost>(block, shared.made.distance, shared.made.targets, columns, y,
                                          targets, nodes, {sums, true});
    }
};

/// The largest error of a sum of weights times targets in [-2^14, 2^14], in parts of sum_j |w_j y_j| and beyond
/// 2^-51 |y_j| for each. Weights are powers of two, so that they themselves have no error.
double largest_error(const std::function<double(int)>& exponent, int targets) {
    const Philox random(9, RandomUse::Functions);
    std::vector<float> distance, y;
    for (int j = 0; j < columns; ++j) distance.push_back(static_cast<float>(exponent(j)));
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(columns) * targets; ++i)
        y.push_back(static_cast<float>(std::ldexp(2.0 * random.uniform(i) - 1.0, 14)));
    const std::vector<WeightChain> chains = {
        {5, 1.0F, 1.0F}, {1, 2.0F, 0.0F}, {4, 3.0F, 1.0F}, {3, 1.0F, 2.0F}};
    const std::vector<int> of_node = {1, 2, 3, 4, 5, 2, 3, 4, 5, 6, 1, 3, 5};
    const Nodes nodes{chains.data(), static_cast<int>(chains.size()), static_cast<int>(of_node.size())};
    std::vector<math::CompensatedSum> sums(of_node.size() * static_cast<std::size_t>(targets) * tile_rows);
    HostDevice({1, std::int64_t{1} << 30, 0, 2})
        .blocks(1, SumTargets{distance.data(), y.data(), targets, nodes, sums.data()});
    double largest = 0.0;
    for (int t = 0; t < targets; ++t)
        for (std::size_t m = 0; m < of_node.size(); ++m) {
            double sum = 0.0, magnitude = 0.0, least = 0.0;
            for (int j = 0; j < columns; ++j) {
                const double product = std::exp2(-of_node[m] * static_cast<double>(distance[j])) *
                                       static_cast<double>(y[j * targets + t]);
                sum += product;
                magnitude += std::fabs(product);
                least += 0x1p-51 * std::fabs(static_cast<double>(y[j * targets + t]));
            }
            for (const int row : {0, 7, 8, 31, 77, 127}) {
                const math::CompensatedSum& found = sums[(t * of_node.size() + m) * tile_rows + row];
                const double error = static_cast<double>(found.high) + static_cast<double>(found.low) - sum;
                largest = std::max(largest, (std::fabs(error) - least) / magnitude);
            }
        }
    return largest;
}

}  // namespace

TEST_CASE("kernels/cuda spectrum targets: two halves keep 22 bits, of weights down to 2^-51") {
    const Philox random(10, RandomUse::Functions);
    for (std::uint64_t i = 0; i < 20000; ++i) {
        const double weight = std::exp2(-60.0 * random.uniform(2 * i));
        const SplitHalves halves = split(static_cast<float>(weight) * weight_scale);
        const double found = (static_cast<double>(half_value(halves.high)) +
                              static_cast<double>(half_value(halves.low)) * 0x1p-11) *
                             0x1p-15;
        const double error = std::fabs(found - static_cast<double>(static_cast<float>(weight)));
        REQUIRE(error <= std::max(0x1p-23 * weight, 0x1p-51));
    }
    CHECK(half_value(split(weight_scale).high) == weight_scale);
    CHECK(split(weight_scale).low == 0);
}

TEST_CASE("kernels/cuda spectrum targets: sums of weights times targets lose little more than floats do") {
    // Weights all alike, of every size, and one beside others that its instruction nearly cuts off.
    const std::vector<std::function<double(int)>> exponents = {
        [](int) { return 0.0; }, [](int j) { return j % 7; }, [](int j) { return j == 40 ? 1.0 : 24.0; },
        [](int) { return 8.0; }};
    for (const int targets : {1, 8, 11, 17})
        for (const auto& exponent : exponents) {
            if (few_columns_only && targets != 11) continue;
            CHECK(largest_error(exponent, targets) <= 2.5e-6);
        }
    CHECK(largest_error(exponents[1], 1) > 1e-9);
}

TEST_CASE("kernels/cuda spectrum targets: what a warp reads at once lies in different banks") {
    const auto bank = [](int half) { return half / 2 % 32; };
    for (int i = 0; i < 4; ++i)
        for (int h = 0; h < 2; ++h) {
            std::set<int> of_distances;
            for (int lane = 0; lane < 32; ++lane) {
                const auto [row, column] = fragments::first_factor(lane, i, h);
                of_distances.insert(distance_of(row, column) % 32);
            }
            CHECK(of_distances.size() == 32);
        }
    for (int i = 0; i < 2; ++i) {
        std::set<int> of_targets;
        for (int lane = 0; lane < 32; ++lane) {
            const auto [k, target] = fragments::second_factor(lane, i, 0);
            CHECK(k % 2 == 0);  // two halves are read at once
            of_targets.insert(bank(target * TargetTile::stride + k));
        }
        CHECK(of_targets.size() == 32);
    }
}

}  // namespace deepfreq::tests
