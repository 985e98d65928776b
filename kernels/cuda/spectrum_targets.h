#pragma once

#include <cstdint>

#include "kernels/cuda/half_bits.h"
#include "kernels/cuda/spectrum_weights.h"

// Sums of weights times general targets, on the matrix units: a fragment of 16 rows and 16 columns of weights
// times 16 columns and 8 targets, whose sums are [16 rows][8 targets]. `MatrixUnit::TargetProducts` computes
// them: MatrixUnit (spectrum_matrix_unit.cuh) on the device, MatrixUnitOnHost in the tests.
//
// Weights and targets are split in two halves each, x = high + 2^-11 low: 22 bits together for weights down to
// 2^-28, and 2^-51 for all others, of which even 10^6 are nothing beside a weight of 1. Of the four products,
// low.low is left out: at most 2^-22 of the product, or 2^-51 of the target where the weight has no high part.
// The target's own split, 2^-23, is as if the targets were so little different.
//
// The instruction cuts off every addend at 24 bits of the largest (tests/matrix_unit_on_host.h). So each
// product of high parts begins a sum of its own, which is then added as a float: of 16 weights, at most
// 16 * 2^-23 of the largest is lost, 1.9e-6. What low parts lose is 2^-11 of that, and they are summed within
// the matrix unit.

namespace deepfreq::cuda::spectrum {

/// A split weight is 2^-15 (high + 2^-11 low), a target high + 2^-11 low.
inline constexpr float weight_scale = 0x1p15F;
inline constexpr float low_scale = 0x1p11F;

/// Relative: of a split weight, and of the product that is left out.
inline constexpr double split_error = 0x1p-23 + 0x1p-22;

struct SplitHalves {
    std::uint16_t high, low;
};

/// x as high + 2^-11 low; |x| <= 2^15.
DEEPFREQ_HOST_DEVICE inline SplitHalves split(float x) {
    const std::uint16_t high = half_bits(x);
    return {high, half_bits((x - half_value(high)) * low_scale)};
}

/// The sums of one fragment of rows at a chain of Count nodes, for up to 8 * Groups targets, in the registers
/// of the matrix instruction.
template <int Count, int Groups>
class TargetSums {
  public:
    /// Of fragment a of the thread's warp.
    DEEPFREQ_HOST_DEVICE TargetSums(int thread, int a) : row_(fragment_row(thread, a)), lane_(thread % 32) {}

    /// Adds the sums of the first `targets`. `sums` are those of a block at the chain's first node,
    /// [target][nodes][row of the block].
    DEEPFREQ_HOST_DEVICE void add_to(const SegmentSums& sums, int nodes, int targets) const {
        DEEPFREQ_UNROLL
        for (int g = 0; g < Groups; ++g) {
            float sum[4][Count];
            int line[4];
            DEEPFREQ_UNROLL
            for (int i = 0; i < 4; ++i) {
                const auto [row, column] = fragments::sum(lane_, i);
                const int target = 8 * g + column;
                line[i] = target < targets ? target * nodes * tile_rows + row_ + row : -1;
                DEEPFREQ_UNROLL
                for (int k = 0; k < Count; ++k)
                    sum[i][k] = (high_[g][k][i] + low_[g][k][i] / low_scale) / weight_scale;
            }
            sums.add(sum, line);
        }
    }

  protected:
    int row_, lane_;
    float high_[Groups][Count][4] = {};  ///< weight_scale times the sums
    float low_[Groups][Count][4] = {};   ///< weight_scale * low_scale times the rest
};

/// Stages targets first … first+count-1 of the columns from `y` on, [column][targets]. What does not exist is
/// zero, up to whole fragments.
template <class Block>
DEEPFREQ_HOST_DEVICE void stage_targets(Block& block, const float* y, int columns, int targets, int first,
                                        int count, TargetTile& staged) {
    const int padded = (columns + fragments::depth - 1) / fragments::depth * fragments::depth;
    const int target = block.thread() % targets_at_once;
    DEEPFREQ_NO_UNROLL
    for (int column = block.thread() / targets_at_once; column < padded;
         column += tile_rows / targets_at_once) {
        const bool exists = target < count && column < columns;
        const SplitHalves value = split(exists ? y[std::int64_t{column} * targets + first + target] : 0.0F);
        staged.high[target][column] = value.high;
        staged.low[target][column] = value.low;
    }
}

/// Adds the products with the `count` staged targets at all nodes, for the rows of the thread's warp.
template <class MatrixUnit, int Groups>
DEEPFREQ_HOST_DEVICE void add_products(int thread, const float* distance, const TargetTile& staged,
                                       int columns, int count, const Nodes& nodes, const SegmentSums& sums) {
    for_each_chain(nodes, [&](auto length, const WeightChain& chain, int node) {
        DEEPFREQ_NO_UNROLL
        for (int a = 0; a < fragments_down; ++a) {
            typename MatrixUnit::template TargetProducts<decltype(length)::value, Groups> of_chain(thread, a);
            DEEPFREQ_NO_UNROLL
            for (int column = 0; column < columns; column += fragments::depth)
                of_chain.add(distance, column, chain, staged);
            of_chain.add_to(sums.from(std::int64_t{node} * tile_rows), nodes.count, count);
        }
    });
}

/// Adds the products of a block's weights and all targets at all nodes. `distance` is its tile, `y` the
/// targets of its columns, [column][targets]. They are taken in equal shares of at most targets_at_once.
template <class MatrixUnit, class Block>
DEEPFREQ_HOST_DEVICE void add_all_targets(Block& block, const float* distance, TargetTile& staged,
                                          int columns, const float* y, int targets, const Nodes& nodes,
                                          const SegmentSums& sums) {
    const int shares = (targets + targets_at_once - 1) / targets_at_once;
    for (int share = 0; share < shares; ++share) {
        const int first = targets * share / shares;
        const int count = targets * (share + 1) / shares - first;
        block.barrier();  // the distances are there for all, and nobody still uses what is staged
        stage_targets(block, y, columns, targets, first, count, staged);
        block.barrier();
        const SegmentSums to = sums.from(std::int64_t{first} * nodes.count * tile_rows);
        if (count <= targets_at_once / 2)
            add_products<MatrixUnit, 1>(block.thread(), distance, staged, columns, count, nodes, to);
        else
            add_products<MatrixUnit, 2>(block.thread(), distance, staged, columns, count, nodes, to);
    }
}

}  // namespace deepfreq::cuda::spectrum
