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

/// The sums of one block. Row r has the distances distance[(column + r) % columns].
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
        const int row = block.thread();
        for (int j = 0; j < columns; ++j)
            shared.made.distance[distance_of(row, j)] = distance[(j + row) % columns];
        add_all_targets<MatrixUnitOnHost>(block, shared.made.distance, shared.made.targets, columns, y,
                                          targets, nodes, {sums, true});
    }
};

/// A row's weights at the nodes of the chains, as the kernel makes them.
std::vector<float> weights_at(float distance, const std::vector<WeightChain>& chains) {
    std::vector<float> all;
    for (const WeightChain& chain : chains) {
        float weights[longest_chain];
        const auto make = [&]<int Length> {
            if (chain.count == Length) make_weights<Length>(distance, chain, weights);
        };
        make.operator()<longest_chain>();
        make.operator()<4>();
        make.operator()<3>();
        make.operator()<1>();
        all.insert(all.end(), weights, weights + chain.count);
    }
    return all;
}

/// The largest error of a sum of weights times targets in [-2^14, 2^14], in parts of sum_j |w_j y_j| and beyond
/// 2^-50 |y_j| for each.
double largest_error(const std::function<double(int)>& distance_at, int targets) {
    const Philox random(9, RandomUse::Functions);
    std::vector<float> distance, y;
    for (int j = 0; j < columns; ++j) distance.push_back(static_cast<float>(distance_at(j)));
    for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(columns) * targets; ++i)
        y.push_back(static_cast<float>(std::ldexp(2.0 * random.uniform(i) - 1.0, 14)));
    const std::vector<WeightChain> chains = {
        {5, 1.0F, 1.0F}, {1, 2.0F, 0.0F}, {4, 3.0F, 1.0F}, {3, 1.0F, 2.0F}};
    std::vector<std::vector<float>> weights;  // [column][node]
    for (const float d : distance) weights.push_back(weights_at(d, chains));
    const auto count = weights.front().size();
    const Nodes nodes{chains.data(), static_cast<int>(chains.size()), static_cast<int>(count)};
    std::vector<math::CompensatedSum> sums(count * static_cast<std::size_t>(targets) * tile_rows);
    HostDevice({1, std::int64_t{1} << 30, 0, 2})
        .blocks(1, SumTargets{distance.data(), y.data(), targets, nodes, sums.data()});
    double largest = 0.0;
    for (std::size_t i = 0; i < sums.size(); ++i) {
        const std::size_t row = i % tile_rows, node = i / tile_rows % count, target = i / tile_rows / count;
        double sum = 0.0, magnitude = 0.0, least = 0.0;
        for (std::size_t j = 0; j < columns; ++j) {
            const auto value = static_cast<double>(y[j * targets + target]);
            const double product = static_cast<double>(weights[(j + row) % columns][node]) * value;
            sum += product;
            magnitude += std::fabs(product);
            least += 0x1p-50 * std::fabs(value);
        }
        const double error = static_cast<double>(sums[i].high) + static_cast<double>(sums[i].low) - sum;
        largest = std::max(largest, (std::fabs(error) - least) / magnitude);
    }
    return largest;
}

}  // namespace

TEST_CASE("kernels/cuda spectrum targets: a split weight keeps 22 bits down to 2^-28, and 2^-51 below") {
    const Philox random(10, RandomUse::Functions);
    const auto value = [](const SplitHalves& x) {
        return static_cast<double>(half_value(x.high)) + static_cast<double>(half_value(x.low)) * 0x1p-11;
    };
    for (std::uint64_t i = 0; i < 20000; ++i) {
        const auto weight = static_cast<float>(std::exp2(-60.0 * random.uniform(3 * i)));
        const SplitHalves w = split(weight * weight_scale);
        const auto exact = static_cast<double>(weight);
        REQUIRE(std::fabs(value(w) * 0x1p-15 - exact) <= std::max(0x1p-23 * exact, 0x1p-51));
        // The three products of the four that are made.
        const auto target = static_cast<float>(std::exp2(14.0 * random.uniform(3 * i + 1)));
        const SplitHalves y = split(target);
        const double made = value(w) * value(y) - static_cast<double>(half_value(w.low)) *
                                                      static_cast<double>(half_value(y.low)) * 0x1p-22;
        const double product = exact * static_cast<double>(target);
        REQUIRE(std::fabs(made * 0x1p-15 - product) <=
                std::max((split_error + 0x1p-23) * product, 0x1p-50 * static_cast<double>(target)));
    }
    CHECK(half_value(split(weight_scale).high) == weight_scale);
    CHECK(split(weight_scale).low == 0);
}

TEST_CASE("kernels/cuda spectrum targets: sums of weights times targets lose little more than floats do") {
    // Weights all alike, of every size, one beside others that its instruction nearly cuts off, and tiny ones.
    const std::vector<std::function<double(int)>> distances = {
        [](int) { return 0.0; }, [](int j) { return 0.37 * (j % 17); },
        [](int j) { return j == 40 ? 1.1 : 23.3; }, [](int j) { return 7.9 + 0.01 * j; }};
    for (const int targets : {1, 8, 11, 17})
        for (const auto& distance : distances) {
            if (few_inputs_only && targets != 11) continue;
            CHECK(largest_error(distance, targets) <= 2.5e-6);
        }
    CHECK(largest_error(distances[1], 1) > 1e-8);
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
