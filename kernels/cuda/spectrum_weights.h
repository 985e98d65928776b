#pragma once

#include <cfloat>
#include <cmath>

#include "kernels/cuda/spectrum_nearest.h"
#include "kernels/math.h"

// From distances to sums of weights: a thread has one row, and goes over the columns of one or two tiles.
// Sums are floats within them (up to 128 terms) and compensated from there on.
//
// Symmetry is not used: a pair's weights are computed for either row. It would save half the distances and
// one in three operations of the weights, but every tile would then add to the sums of its columns too, in an
// order that must be fixed, and each such sum costs as much as the multiplication it saves.
//
// A weight's error, beside that of its distance: exp2 of the device is within 2^-22, and the chain below
// multiplies at most 15 times, each time with 2^-22 of the factor and 2^-24 of the rounding: 4.7e-6. What
// both do to LFR is in spectrum_distances.h. Sums: beside a weight of 1, the row's own, each of 127 others
// (one-hot: of 63 pairs) can lose 2^-25, which is 3.8e-6 (1.9e-6) of the weights, and twice that of an LFR,
// but only where the others are so small that their own errors are nothing.

namespace deepfreq::cuda::spectrum {

/// On an evenly spaced grid a weight is that of the last width times exp(-distance * half_step); it is
/// computed anew after so many widths. (The CPU's 32 would err by 9e-6 with the device's exp2.)
inline constexpr int widths_per_exp = 16;

/// Widths whose sums over one class are registers.
inline constexpr int widths_in_registers = 32;

#ifndef __CUDA_ARCH__
/// The relative error of 2^-exponent on the host. ex2.approx.ftz is within 2^-22 (PTX ISA) and 1 at 0: the
/// tests put something as bad in place of this.
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

/// The widths of a pass. What is computed for those between `count` and `stored` is finite and not used.
struct Widths {
    const float* half;  ///< [stored]: 1 / (2 delta), for distances divided by unit^2
    int count, stored;
    bool even;  ///< evenly spaced, half_step apart
    float half_step;
};

/// weights[k] = weight of a distance at widths half[0 … Count-1].
template <int Count>
DEEPFREQ_HOST_DEVICE void make_weights(float distance, const float* half, const Widths& widths,
                                       float* weights) {
    weights[0] = power_of_half(distance * half[0]);
    if (widths.even) {
        const float ratio = power_of_half(distance * widths.half_step);
        DEEPFREQ_UNROLL
        for (int k = 1; k < Count; ++k) weights[k] = flushed_product(weights[k - 1], ratio);
    } else {
        DEEPFREQ_UNROLL
        for (int k = 1; k < Count; ++k) weights[k] = power_of_half(distance * half[k]);
    }
}

/// Sums of one segment and row, tile_rows apart from width to width.
struct RowSums {
    math::CompensatedSum* first;
    bool begin;  ///< the segment's first tile: sums begin anew

    /// Adds x[r][k] to sum index + r * stride + k, for r below `rows` (at most Rows) and k below Count. All
    /// are read before one is written: else each would wait for the one before.
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

/// Adds the weights of a row's distances at `Count` widths from `first` on.
template <bool Even, int Count>
DEEPFREQ_HOST_DEVICE void add_weights(const float* distance, int columns, const Widths& widths, int first,
                                      const RowSums& sums) {
    constexpr int chain = Count < widths_per_exp ? Count : widths_per_exp;
    const float* const half = widths.half + first;
    float sum[Count] = {};
    for (int j = 0; j < columns; j += 2) {  // an odd one's partner is out of sight
        const float a = distance[distance_of(0, j)];
        const float b = distance[distance_of(0, j + 1)];
        if constexpr (Even) {
            const float ratio_a = power_of_half(a * widths.half_step);
            const float ratio_b = power_of_half(b * widths.half_step);
            DEEPFREQ_UNROLL
            for (int begin = 0; begin < Count; begin += chain) {
                float weight_a = power_of_half(a * half[begin]);
                float weight_b = power_of_half(b * half[begin]);
                DEEPFREQ_UNROLL
                for (int k = begin; k < begin + chain; ++k) {
                    sum[k] += weight_a + weight_b;
                    weight_a = flushed_product(weight_a, ratio_a);
                    weight_b = flushed_product(weight_b, ratio_b);
                }
            }
        } else {
            DEEPFREQ_UNROLL
            for (int k = 0; k < Count; ++k) sum[k] += power_of_half(a * half[k]) + power_of_half(b * half[k]);
        }
    }
    sums.add<1, Count>(sum, first);
}

/// Adds the weights of a row's distances at all widths.
template <bool Even>
DEEPFREQ_HOST_DEVICE void add_all_weights(const float* distance, int columns, const Widths& widths,
                                          const RowSums& sums) {
    constexpr int few = 4;
    int first = 0;
    for (; first + widths_in_registers <= widths.count; first += widths_in_registers)
        add_weights<Even, widths_in_registers>(distance, columns, widths, first, sums);
    for (; first < widths.count; first += few) add_weights<Even, few>(distance, columns, widths, first, sums);
}

/// Adds the products of weights and `Columns` targets; y[column of the tile][targets_at_once].
template <int Columns>
DEEPFREQ_HOST_DEVICE void add_products(const float* distance, int columns, const float* y,
                                       const Widths& widths, const RowSums& sums) {
    for (int first = 0; first < widths.count; first += widths_at_once) {
        float sum[Columns * widths_at_once] = {};
        for (int j = 0; j < columns; ++j) {
            float weights[widths_at_once];
            make_weights<widths_at_once>(distance[distance_of(0, j)], widths.half + first, widths, weights);
            DEEPFREQ_UNROLL
            for (int s = 0; s < Columns; ++s) {
                const float target = y[j * targets_at_once + s];
                DEEPFREQ_UNROLL
                for (int k = 0; k < widths_at_once; ++k) sum[s * widths_at_once + k] += weights[k] * target;
            }
        }
        DEEPFREQ_UNROLL
        for (int s = 0; s < Columns; s += 4)
            sums.add<4, widths_at_once>(sum + s * widths_at_once, s * widths.stored + first, widths.stored,
                                        Columns - s < 4 ? Columns - s : 4);
    }
}

/// The same for a number of targets known only now, 1 … targets_at_once.
template <int Columns = targets_at_once>
DEEPFREQ_HOST_DEVICE void add_products_of(int targets, const float* distance, int columns, const float* y,
                                          const Widths& widths, const RowSums& sums) {
    if (targets == Columns) {
        add_products<Columns>(distance, columns, y, widths, sums);
    } else if constexpr (Columns > 1) {
        add_products_of<Columns - 1>(targets, distance, columns, y, widths, sums);
    }
}

/// sums[row block][segment][target][width][row of the block] = sum over the segment's samples j of G_ij y_js.
/// One-hot targets are a single "target" of 1: the segments are of one class each.
/// Block b has the part b % parts of the columns and the rows first_row + 128 (b / parts) …: blocks that run
/// at the same time share rows as well as columns, and find both in the cache.
template <class Products, bool OneHot, int Tiles>
struct WeightedSums {
    static constexpr int threads = tile_rows;
    static constexpr int blocks_at_once = 2;  // so that one can multiply while the other sums weights
    using Shared = TileMemory<Tiles>;

    Samples x;
    Widths widths;
    const Segment* segments;
    const std::int32_t* first_segment;  ///< [parts + 1]
    std::int64_t all_segments;
    std::int64_t first_row;
    int parts;
    const float* y;         ///< [padded_rows][targets]; unless OneHot
    int targets;            ///< 1 if OneHot
    float diagonal;         ///< squared distance of a row to itself
    const double* nearest;  ///< [rows], taken off every distance of a row; or null
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
                    make_distances<Products>(block, shared.stage(), shared.judging.near_pairs, made, x, tile,
                                             diagonal);
                    if (nearest != nullptr)
                        take_off_nearest(made, x, tile, block.thread(),
                                         nearest[tile.first_row + block.thread()]);
                }
                // Only now: what is not yet needed takes no registers from the products.
                const std::int64_t index = (row_block * all_segments + s) * targets * widths.stored;
                const RowSums to{sums + index * tile_rows + block.thread(), first == segment.first};
                if constexpr (!OneHot) {
                    add_targets(block, shared, first, columns, to);
                } else if (widths.even) {
                    add_all_weights<true>(distance, columns, widths, to);
                } else {
                    add_all_weights<false>(distance, columns, widths, to);
                }
            }
        }
    }

  private:
    /// All targets of the columns from `first_column` on, in equal shares of at most targets_at_once.
    template <class Block>
    DEEPFREQ_HOST_DEVICE void add_targets(Block& block, Shared& shared, std::int64_t first_column,
                                          int columns, const RowSums& to) const {
        const int shares = (targets + targets_at_once - 1) / targets_at_once;
        for (int share = 0; share < shares; ++share) {
            const int first = targets * share / shares;
            const int count = targets * (share + 1) / shares - first;
            block.barrier();
            for (int item = block.thread(); item < columns * count; item += threads)
                shared.made.y[item / count * targets_at_once + item % count] =
                    y[(first_column + item / count) * targets + first + item % count];
            block.barrier();
            add_products_of(count, shared.made.distance + block.thread(), columns, shared.made.y, widths,
                            {to.first + std::int64_t{first} * widths.stored * tile_rows, to.begin});
        }
    }
};

/// energy[i] of one row and width = |sum_j y_j G_ij|^2 / (sum_j G_ij)^2, or 0 if all its weights are 0;
/// i = (row block * widths + width) * 128 + row of the block.
struct RowEnergies {
    const math::CompensatedSum* sums;  ///< as WeightedSums made them
    const Segment* segments;
    std::int64_t all_segments;
    bool one_hot;
    int targets, widths, stored_widths;
    std::int64_t first_row, n;
    double* energy;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        const std::int64_t row = i % tile_rows;
        const std::int64_t width = i / tile_rows % widths;
        const std::int64_t row_block = i / tile_rows / widths;
        if (first_row + row_block * tile_rows + row >= n) {
            energy[i] = 0.0;
            return;
        }
        const math::CompensatedSum* const first =
            sums + (row_block * all_segments * targets * stored_widths + width) * tile_rows + row;
        const double squares = one_hot ? squares_of_classes(first) : squares_of_targets(first);
        double weight = 0.0;
        for (std::int64_t s = 0; s < all_segments; ++s) weight += sum_of(first, s, targets - 1);
        energy[i] = weight > 0.0 ? squares / (weight * weight) : 0.0;
    }

  private:
    DEEPFREQ_HOST_DEVICE double sum_of(const math::CompensatedSum* first, std::int64_t segment,
                                       int target) const {
        const math::CompensatedSum& sum = first[(segment * targets + target) * stored_widths * tile_rows];
        return static_cast<double>(sum.high) + static_cast<double>(sum.low);
    }

    /// A class may be in several segments, which follow each other.
    DEEPFREQ_HOST_DEVICE double squares_of_classes(const math::CompensatedSum* first) const {
        double squares = 0.0;
        double of_class = 0.0;
        for (std::int64_t s = 0; s < all_segments; ++s) {
            of_class += sum_of(first, s, 0);
            if (s + 1 < all_segments && segments[s + 1].label == segments[s].label) continue;
            squares += of_class * of_class;
            of_class = 0.0;
        }
        return squares;
    }

    /// The last target is the 1 that sums the weights.
    DEEPFREQ_HOST_DEVICE double squares_of_targets(const math::CompensatedSum* first) const {
        double squares = 0.0;
        for (int target = 0; target < targets - 1; ++target) {
            double sum = 0.0;
            for (std::int64_t s = 0; s < all_segments; ++s) sum += sum_of(first, s, target);
            squares += sum * sum;
        }
        return squares;
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
