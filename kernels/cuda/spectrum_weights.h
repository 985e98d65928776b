#pragma once

#include <cfloat>
#include <cmath>
#include <type_traits>

#include "kernels/cuda/four.h"
#include "kernels/cuda/spectrum_tile.h"
#include "kernels/filter_nodes.h"
#include "kernels/math.h"

// From distances to weights at nodes (kernels/filter_nodes.h), chain by chain, and, for one-hot targets, to
// their sums: each thread has one row and goes over columns of one or two tiles, or one column and its rows.
//
// The error of a weight, apart from that of its distance, is what choose_nodes is told: the device's exp2 is
// within 2^-22, the rounding error of the exponent is compensated, and the nodes allow for the products of a
// chain. What both do to LFR is in spectrum_distances.h. Sums: beside a weight of 1, each of 63 others (pairs)
// can lose 2^-25, which is 1.9e-6 of the weights (3.8e-6 if i = j is left out), and twice that of an LFR, but only
// where the others are so small that their own errors are negligible. General targets: spectrum_targets.h.

namespace deepfreq::cuda::spectrum {

/// Numbers of weights that a chain may have here: sums of this many are registers.
inline constexpr int chain_lengths[] = {longest_chain, 4, 3, 1};

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

/// weights[k] = `scale`, a power of two, times the weight of a distance at the nodes of a chain of `Count`.
template <int Count>
DEEPFREQ_HOST_DEVICE void make_weights(float distance, const WeightChain& chain, float* weights,
                                       float scale = 1.0F) {
    weights[0] = scale * weight_of(distance, chain.first, weightless_at(chain.first));
    if constexpr (Count > 1) {
        const float ratio = weight_of(distance, chain.step, weightless_at(chain.step));
        DEEPFREQ_UNROLL
        for (int k = 1; k < Count; ++k) weights[k] = flushed_product(weights[k - 1], ratio);
    }
}

/// The sums of one segment in global memory, from node to node tile_rows apart.
struct SegmentSums {
    math::CompensatedSum* first;
    bool begin;  ///< the segment's first tile: sums start afresh

    /// The same from another sum on.
    DEEPFREQ_HOST_DEVICE SegmentSums from(std::int64_t offset) const { return {first + offset, begin}; }

    /// Adds x[l][k] to the sum at node k that begins at line[l]; a negative line has none. All are read before
    /// one is written; otherwise each would wait for the one before.
    template <int Lines, int Count>
    DEEPFREQ_HOST_DEVICE void add(const float (&x)[Lines][Count], const int (&line)[Lines]) const {
        math::CompensatedSum sum[Lines][Count] = {};
        if (!begin) {
            DEEPFREQ_UNROLL
            for (int l = 0; l < Lines; ++l)
                if (line[l] >= 0) {
                    DEEPFREQ_UNROLL
                    for (int k = 0; k < Count; ++k) sum[l][k] = first[line[l] + k * tile_rows];
                }
        }
        DEEPFREQ_UNROLL
        for (int l = 0; l < Lines; ++l)
            if (line[l] >= 0) {
                DEEPFREQ_UNROLL
                for (int k = 0; k < Count; ++k)
                    first[line[l] + k * tile_rows] = math::add(sum[l][k], x[l][k]);
            }
    }
};

/// The nodes of a pass.
struct Nodes {
    const WeightChain* chain;  ///< [chains], all fresh, each of one of chain_lengths
    int chains, count;         ///< count: number of nodes
};

/// Calls use(length, chain, node) for every chain; `node` is the index of its first node. The chain's length,
/// one of chain_lengths, is a constant: decltype(length)::value.
template <class Use>
DEEPFREQ_HOST_DEVICE void for_each_chain(const Nodes& nodes, const Use& use) {
    for (int c = 0, node = 0; c < nodes.chains; node += nodes.chain[c].count, ++c) {
        const WeightChain chain = nodes.chain[c];
        switch (chain.count) {
            case longest_chain:
                use(std::integral_constant<int, longest_chain>{}, chain, node);
                break;
            case 4:
                use(std::integral_constant<int, 4>{}, chain, node);
                break;
            case 3:
                use(std::integral_constant<int, 3>{}, chain, node);
                break;
            default:
                use(std::integral_constant<int, 1>{}, chain, node);
        }
    }
}

/// The distances of a row to columns first … last-1 of one or two tiles.
struct RowOfTile {
    const float* distance;  ///< to column 0
    int first, last;

    DEEPFREQ_HOST_DEVICE Four four(int column) const {
        const float* const at = distance + distance_of(0, column);
        return {{at[0], at[distance_of(0, 1)], at[distance_of(0, 2)], at[distance_of(0, 3)]}};
    }
};

/// The distances of a column to rows first … last-1 of a tile.
struct ColumnOfTile {
    const float* distance;  ///< to row 0
    int first, last;

    /// Read at once: columns lie 4 banks apart, so eight of them fall into different ones.
    DEEPFREQ_HOST_DEVICE Four four(int row) const { return *as_fours(distance + row); }
};

/// Calls use(distance, distance) for all distances of a line, two at a time. What it lacks to whole fours is out
/// of sight.
template <class Line, class Use>
DEEPFREQ_HOST_DEVICE void for_each_pair(const Line& line, const Use& use) {
    for (int k = line.first / 4 * 4; k < line.last; k += 4) {
        Four four = line.four(k);
        if (k < line.first || k + 4 > line.last) {  // uniform across the block
            DEEPFREQ_UNROLL
            for (int i = 0; i < 4; ++i)
                if (k + i < line.first || k + i >= line.last) four.x[i] = out_of_sight;
        }
        use(four.x[0], four.x[1]);
        use(four.x[2], four.x[3]);
    }
}

/// Adds the weights of a line of distances at a chain of `Count` nodes to the sums there.
template <int Count, class Line>
DEEPFREQ_HOST_DEVICE void add_weights(const Line& line, const WeightChain& chain, const SegmentSums& sums) {
    float sum[1][Count] = {};
    for_each_pair(line, [&](float one, float other) {
        float a[Count], b[Count];
        make_weights<Count>(one, chain, a);
        make_weights<Count>(other, chain, b);
        DEEPFREQ_UNROLL
        for (int k = 0; k < Count; ++k) sum[0][k] += a[k] + b[k];
    });
    sums.add(sum, {0});
}

/// The same at all nodes.
template <class Line>
DEEPFREQ_HOST_DEVICE void add_all_weights(const Line& line, const Nodes& nodes, const SegmentSums& sums) {
    for_each_chain(nodes, [&](auto length, const WeightChain& chain, int node) {
        add_weights<decltype(length)::value>(line, chain, sums.from(std::int64_t{node} * tile_rows));
    });
}

}  // namespace deepfreq::cuda::spectrum
