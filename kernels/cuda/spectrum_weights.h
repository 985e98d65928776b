#pragma once

#include <cfloat>
#include <cmath>

#include "kernels/cuda/spectrum_nearest.h"
#include "kernels/filter_nodes.h"
#include "kernels/math.h"

// From distances to sums of weights at nodes (kernels/filter_nodes.h): each thread has one row and goes over
// the columns of one or two tiles, chain by chain. Sums are floats within these tiles (up to 128 terms) and
// compensated from there on.
//
// Symmetry is not exploited: a pair's weights are computed once for each of its rows. Exploiting it would
// save half the distances and one in three operations of the weights. But every tile would then add to the
// sums of its columns too, in an order that must be fixed, and each such sum costs as much as the
// multiplication it saves.
//
// The error of a weight, apart from that of its distance, is what choose_nodes is told: the device's exp2 is
// within 2^-22, the rounding error of the exponent is compensated, and the nodes allow for the products of a
// chain. What both do to LFR is in spectrum_distances.h. Sums: beside a weight of 1, each of 127 others
// (one-hot: of 63 pairs) can lose 2^-25, which is 3.8e-6 (1.9e-6) of the weights, and twice that of an LFR,
// but only where the others are so small that their own errors are negligible.

namespace deepfreq::cuda::spectrum {

/// Numbers of weights that a chain may have here: sums of this many are registers.
inline constexpr int chain_lengths[] = {longest_chain, 5, 4, 1};

#ifndef __CUDA_ARCH__
/// The relative error of 2^-exponent on the host. ex2.approx.ftz is within 2^-22 (PTX ISA) and 1 at 0. The
/// tests put something equally bad in its place.
inline float (*exp2_error)(float exponent) = [](float /*exponent*/) { return 0.0F; };
#endif

/// 2^-exponent, exponent >= 0: exactly 1 at 0, and 0 where the result would be below the smallest normal
/// float.
DEEPFREQ_HOST_DEVICE inline float power_of_half(float exponent) {
#ifdef __CUDA_ARCH__
    float result;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(-exponent));
    return result;
#else
    if (exponent < FLT_MIN) return 1.0F;
    const float result = std::exp2(-exponent) * (1.0F + exp2_error(exponent));
    return result < FLT_MIN ? 0.0F : result;
#endif
}

/// Relative error of weight_of: that of exp2, and that of the last rounding.
inline constexpr double exponential_error = 0x1p-22 + 0x1p-24;

/// 2^(-b distance). A distance may be out of sight: `beyond` is where the weight is 0 (weightless_at), so
/// that nothing overflows. The rounding error of the exponent, which would cost more the larger it is, is
/// compensated.
DEEPFREQ_HOST_DEVICE inline float weight_of(float distance, float b, float beyond) {
    constexpr float ln_2 = 0.693147181F;
    const float d = fminf(distance, beyond);
    const float exponent = d * b;
    const float lost = fmaf(d, b, -exponent);
    const float weight = power_of_half(exponent);
    return fmaf(weight, -ln_2 * lost, weight);
}
DEEPFREQ_HOST_DEVICE inline float weightless_at(float b) {
    return 200.0F / b;
}

/// a * b, or 0 where that is below the smallest normal float; a, b >= 0.
DEEPFREQ_HOST_DEVICE inline float flushed_product(float a, float b) {
#ifdef __CUDA_ARCH__
    float result;
    asm("mul.ftz.f32 %0, %1, %2;" : "=f"(result) : "f"(a), "f"(b));
    return result;
#else
    return a * b < FLT_MIN ? 0.0F : a * b;
#endif
}

/// weights[k] = weight of a distance at the nodes of a chain of `Count`.
template <int Count>
DEEPFREQ_HOST_DEVICE void make_weights(float distance, const WeightChain& chain, float* weights) {
    weights[0] = weight_of(distance, chain.first, weightless_at(chain.first));
    if constexpr (Count > 1) {
        const float ratio = weight_of(distance, chain.step, weightless_at(chain.step));
        DEEPFREQ_UNROLL
        for (int k = 1; k < Count; ++k) weights[k] = flushed_product(weights[k - 1], ratio);
    }
}

/// Sums of one segment and row, tile_rows apart from node to node.
struct RowSums {
    math::CompensatedSum* first;
    bool begin;  ///< the segment's first tile: sums start afresh

    /// Adds x[r][k] to sum index + r * stride + k, for r below both `rows` and Rows, and k below Count. All
    /// are read before one is written; otherwise each would wait for the one before.
    template <int Rows, int Count>
    DEEPFREQ_HOST_DEVICE void add(const float* x, int index, int stride = 0, int rows = Rows) const {
        math::CompensatedSum* const sums = first + std::int64_t{index} * tile_rows;
        math::CompensatedSum sum[Rows * Count] = {};
        if (!begin) {
            DEEPFREQ_UNROLL
            for (int i = 0; i < Rows * Count; ++i)
                if (i / Count < rows) sum[i] = sums[(i / Count * stride + i % Count) * tile_rows];
        }
        DEEPFREQ_UNROLL
        for (int i = 0; i < Rows * Count; ++i)
            if (i / Count < rows)
                sums[(i / Count * stride + i % Count) * tile_rows] = math::add(sum[i], x[i]);
    }
};

/// Adds the weights of a row's distances at a chain of `Count` nodes, the first of which is `node`.
template <int Count>
DEEPFREQ_HOST_DEVICE void add_weights(const float* distance, int columns, const WeightChain& chain, int node,
                                      const RowSums& sums) {
    float sum[Count] = {};
    for (int j = 0; j < columns; j += 2) {  // the partner of an odd last column is out of sight
        float a[Count], b[Count];
        make_weights<Count>(distance[distance_of(0, j)], chain, a);
        make_weights<Count>(distance[distance_of(0, j + 1)], chain, b);
        DEEPFREQ_UNROLL
        for (int k = 0; k < Count; ++k) sum[k] += a[k] + b[k];
    }
    sums.add<1, Count>(sum, node);
}

/// The same for the products of weights and `Columns` targets, of which only the first `targets` exist;
/// y[column of the tile][targets_at_once].
template <int Columns, int Count>
DEEPFREQ_HOST_DEVICE void add_products(const float* distance, int columns, const float* y, int targets,
                                       const WeightChain& chain, int node, int nodes, const RowSums& sums) {
    float sum[Columns * Count] = {};
    DEEPFREQ_NO_UNROLL
    for (int j = 0; j < columns; ++j) {
        float weights[Count];
        make_weights<Count>(distance[distance_of(0, j)], chain, weights);
        DEEPFREQ_UNROLL
        for (int s = 0; s < Columns; ++s) {
            const float target = y[j * targets_at_once + s];
            DEEPFREQ_UNROLL
            for (int k = 0; k < Count; ++k) sum[s * Count + k] += weights[k] * target;
        }
    }
    DEEPFREQ_UNROLL
    for (int s = 0; s < Columns; s += 4)
        sums.add<4, Count>(sum + s * Count, s * nodes + node, nodes, targets - s);
}

/// The nodes of a pass.
struct Nodes {
    const WeightChain* chain;  ///< [chains], all fresh, each of one of chain_lengths
    int chains, count;         ///< count: number of nodes
};

/// Adds the weights of a row's distances at all nodes.
DEEPFREQ_HOST_DEVICE inline void add_all_weights(const float* distance, int columns, const Nodes& nodes,
                                                 const RowSums& sums) {
    for (int c = 0, node = 0; c < nodes.chains; node += nodes.chain[c].count, ++c) {
        const WeightChain chain = nodes.chain[c];
        switch (chain.count) {
            case longest_chain:
                add_weights<longest_chain>(distance, columns, chain, node, sums);
                break;
            case 5:
                add_weights<5>(distance, columns, chain, node, sums);
                break;
            case 4:
                add_weights<4>(distance, columns, chain, node, sums);
                break;
            default:
                add_weights<1>(distance, columns, chain, node, sums);
        }
    }
}

/// The same for the products with at most `Columns` targets.
template <int Columns>
DEEPFREQ_HOST_DEVICE void add_all_products(const float* distance, int columns, const float* y, int targets,
                                           const Nodes& nodes, const RowSums& sums) {
    for (int c = 0, node = 0; c < nodes.chains; node += nodes.chain[c].count, ++c) {
        const WeightChain chain = nodes.chain[c];
        switch (chain.count) {
            case longest_chain:
                add_products<Columns, longest_chain>(distance, columns, y, targets, chain, node, nodes.count,
                                                     sums);
                break;
            case 5:
                add_products<Columns, 5>(distance, columns, y, targets, chain, node, nodes.count, sums);
                break;
            case 4:
                add_products<Columns, 4>(distance, columns, y, targets, chain, node, nodes.count, sums);
                break;
            default:
                add_products<Columns, 1>(distance, columns, y, targets, chain, node, nodes.count, sums);
        }
    }
}

/// sums[row block][segment][target][node][row of the block] = sum over the segment's samples j of G_ij y_js.
/// One-hot targets are a single "target" of 1, and each segment belongs to one class. Block b handles part b
/// % parts of the columns and the rows from first_row + 128 (b / parts) on: blocks that run at the same time
/// share rows as well as columns, and find both in the cache.
template <class Products, bool OneHot, int Tiles>
struct WeightedSums {
    static constexpr int threads = tile_rows;
    static constexpr int blocks_at_once = 2;  // so that one can multiply while the other sums weights
    using Shared = TileMemory<Tiles>;

    Pairs x;
    Nodes nodes;
    const Segment* segments;
    const std::int32_t* first_segment;  ///< [parts + 1]
    std::int64_t all_segments;
    std::int64_t first_row;
    int parts;
    const float* y;         ///< [padded_rows][targets]; unless OneHot
    int targets;            ///< 1 if OneHot
    const double* nearest;  ///< [rows], subtracted from every distance of a row; or null
    math::CompensatedSum* sums;

    template <class Block>
    DEEPFREQ_HOST_DEVICE void operator()(Block& block, Shared& shared) const {
        const std::int64_t part = block.index() % parts;
        const std::int64_t row_block = block.index() / parts;
        const float* const distance = shared.made.distance + block.thread();
        for (std::int32_t s = first_segment[part]; s < first_segment[part + 1]; ++s) {
            const Segment segment = segments[s];
            for (std::int64_t first = segment.first; first < segment.last; first += Tiles * tile_columns) {
                const std::int64_t left = segment.last - first;
                const int columns =
                    left < Tiles * tile_columns ? static_cast<int>(left) : Tiles * tile_columns;
                for (int at = 0; at < columns; at += tile_columns) {
                    const Tile tile{static_cast<std::int32_t>(first_row + row_block * tile_rows),
                                    static_cast<std::int32_t>(first + at),
                                    columns - at < tile_columns ? columns - at : tile_columns};
                    float* const made = shared.made.distance + distance_of(0, at);
                    make_distances<Products>(block, shared.stage(), shared.judging.near_pairs, made, x, tile);
                    if (nearest != nullptr)
                        take_off_nearest(made, ExactPairs(x, tile, block.thread()), block.thread(),
                                         nearest[tile.first_row + block.thread()]);
                }
                // Only now, so that what is not yet needed takes no registers from the products.
                const std::int64_t index = (row_block * all_segments + s) * targets * nodes.count;
                const RowSums to{sums + index * tile_rows + block.thread(), first == segment.first};
                if constexpr (OneHot)
                    add_all_weights(distance, columns, nodes, to);
                else
                    add_targets(block, shared, first, columns, to);
            }
        }
    }

  private:
    /// Handles all targets of the columns from `first_column` on, in equal shares of at most targets_at_once.
    template <class Block>
    DEEPFREQ_HOST_DEVICE void add_targets(Block& block, Shared& shared, std::int64_t first_column,
                                          int columns, const RowSums& to) const {
        const int shares = (targets + targets_at_once - 1) / targets_at_once;
        for (int share = 0; share < shares; ++share) {
            const int first = targets * share / shares;
            const int count = targets * (share + 1) / shares - first;
            block.barrier();
            for (int item = block.thread(); item < columns * targets_at_once; item += threads) {
                const int target = item % targets_at_once;
                const std::int64_t column = first_column + item / targets_at_once;
                shared.made.y[item] = target < count ? y[column * targets + first + target] : 0.0F;
            }
            block.barrier();
            const float* const distance = shared.made.distance + block.thread();
            const RowSums sums_of{to.first + std::int64_t{first} * nodes.count * tile_rows, to.begin};
            if (count <= 4)
                add_all_products<4>(distance, columns, shared.made.y, count, nodes, sums_of);
            else if (count <= 8)
                add_all_products<8>(distance, columns, shared.made.y, count, nodes, sums_of);
            else
                add_all_products<targets_at_once>(distance, columns, shared.made.y, count, nodes, sums_of);
        }
    }
};

/// energy[i] of one row and width = |sum_j y_j G_ij|^2 / (sum_j G_ij)^2, or 0 if all its weights are 0;
/// i = (row block * widths + width) * 128 + row of the block.
struct RowEnergies {
    const math::CompensatedSum* sums;  ///< as computed by WeightedSums
    const Segment* segments;
    const std::int32_t* by_label;  ///< segments of the same class are adjacent
    std::int64_t all_segments;
    bool one_hot, exclude_self;
    int targets, nodes;
    const FilterNodes::Width* width;  ///< [widths]
    const double* coefficient;
    int widths;
    const float* y;      ///< [samples][targets]; unless one-hot
    const double* mean;  ///< of each target over all samples; unless one-hot
    std::int64_t first_row;
    Pairs x;
    double* energy;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        const std::int64_t in_block = i % tile_rows;
        const std::int64_t row_block = i / tile_rows / widths;
        const std::int64_t row = first_row + row_block * tile_rows + in_block;
        if (row >= x.rows.n) {
            energy[i] = 0.0;
            return;
        }
        const FilterNodes::Width at = width[i / tile_rows % widths];
        const math::CompensatedSum* const first =
            sums + (row_block * all_segments * targets * nodes + at.first) * tile_rows + in_block;
        energy[i] =
            one_hot ? of_classes(first, at, x.sample_of(row)) : of_targets(first, at, x.sample_of(row));
    }

  private:
    /// Of one segment, at the width.
    DEEPFREQ_HOST_DEVICE double sum_of(const math::CompensatedSum* first, const FilterNodes::Width& at,
                                       std::int64_t segment, int target) const {
        const math::CompensatedSum* const at_node = first + (segment * targets + target) * nodes * tile_rows;
        double sum = 0.0;
        for (int m = 0; m < at.count; ++m)
            sum += coefficient[at.coefficients + m] * (static_cast<double>(at_node[m * tile_rows].high) +
                                                       static_cast<double>(at_node[m * tile_rows].low));
        return sum;
    }

    /// What the sums over the others lack: the row's own term (weight 1, or left out) and that of the
    /// constant.
    DEEPFREQ_HOST_DEVICE double rest(const FilterNodes::Width& at, double own, double total) const {
        return (exclude_self ? 0.0 : own) + at.constant * (total - own);
    }

    /// A class may be in several segments.
    DEEPFREQ_HOST_DEVICE double of_classes(const math::CompensatedSum* first, const FilterNodes::Width& at,
                                           std::int64_t sample) const {
        double squares = 0.0, weight = 0.0;
        double of_class = 0.0, own = 0.0, members = 0.0;
        for (std::int64_t s = 0; s < all_segments; ++s) {
            const Segment& segment = segments[by_label[s]];
            of_class += sum_of(first, at, by_label[s], 0);
            own += sample >= segment.first && sample < segment.last ? 1.0 : 0.0;
            members += static_cast<double>(segment.last - segment.first);
            if (s + 1 < all_segments && segments[by_label[s + 1]].label == segment.label) continue;
            of_class += rest(at, own, members);
            squares += of_class * of_class;
            weight += of_class;
            of_class = own = members = 0.0;
        }
        return weight > 0.0 ? squares / (weight * weight) : 0.0;
    }

    /// The last target is the 1 that sums the weights.
    DEEPFREQ_HOST_DEVICE double of_targets(const math::CompensatedSum* first, const FilterNodes::Width& at,
                                           std::int64_t sample) const {
        double squares = 0.0, sum = 0.0;
        for (int target = 0; target < targets; ++target) {
            sum = rest(at, static_cast<double>(y[sample * targets + target]),
                       mean[target] * static_cast<double>(x.columns.n));
            for (std::int64_t s = 0; s < all_segments; ++s) sum += sum_of(first, at, s, target);
            if (target < targets - 1) squares += sum * sum;
        }
        return sum > 0.0 ? squares / (sum * sum) : 0.0;
    }
};

/// total[i] = sum of the 128 energies from 128 i on.
struct BlockEnergies {
    const double* energy;
    double* total;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        double sum = 0.0;
        for (int row = 0; row < tile_rows; ++row) sum += energy[i * tile_rows + row];
        total[i] = sum;
    }
};

}  // namespace deepfreq::cuda::spectrum
