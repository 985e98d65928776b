#pragma once

#include "kernels/cuda/spectrum_nearest.h"
#include "kernels/cuda/spectrum_targets.h"
#include "kernels/cuda/spectrum_weights.h"

// The kernel that turns features into sums of weights: the distances of one or two tiles at a time, then
// their weights at all nodes. Sums are floats within these tiles and compensated from there on.
//
// Symmetry is not exploited: a pair's weights are computed once for each of its rows. Exploiting it would
// save half the distances and one in three operations of the weights. But every tile would then add to the
// sums of its columns too, in an order that must be fixed, and each such sum costs as much as the
// multiplication it saves.

namespace deepfreq::cuda::spectrum {

/// sums[row block][segment][target][node][row of the block] = sum over the segment's samples j of G_ij y_js.
/// One-hot targets are a single "target" of 1, and each segment belongs to one class. Block b handles part b
/// % parts of the columns, and the 128 rows from first_row + 128 (b / parts) on. Blocks that run at the same
/// time thus share rows and columns, and find both in the cache.
template <class MatrixUnit, bool OneHot, int Tiles>
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
        for (std::int32_t s = first_segment[part]; s < first_segment[part + 1]; ++s) {
            const auto begin = static_cast<std::int32_t>(segments[s].first);
            const auto end = static_cast<std::int32_t>(segments[s].last);
            for (std::int32_t first = begin; first < end; first += Tiles * tile_columns) {
                const int columns = end - first < Tiles * tile_columns ? end - first : Tiles * tile_columns;
                for (int at = 0; at < columns; at += tile_columns) {
                    const Tile tile{static_cast<std::int32_t>(first_row + row_block * tile_rows), first + at,
                                    columns - at < tile_columns ? columns - at : tile_columns};
                    float* const made = shared.made.distance + distance_of(0, at);
                    make_distances<typename MatrixUnit::Products>(block, shared.stage(),
                                                                  shared.judging.near_pairs, made, x, tile);
                    if (nearest != nullptr)
                        take_off_nearest(made, ExactPairs(x, tile, block.thread()), block.thread(),
                                         nearest[tile.first_row + block.thread()]);
                }
                // Only now, so that what is not yet needed takes no registers from the products.
                const std::int64_t index = (row_block * all_segments + s) * targets * nodes.count;
                const SegmentSums to{sums + index * tile_rows, first == begin};
                if constexpr (OneHot)
                    add_all_weights(shared.made.distance + block.thread(), columns, nodes,
                                    to.from(block.thread()));
                else
                    add_all_targets<MatrixUnit>(block, shared.made.distance, shared.made.targets, columns,
                                                y + std::int64_t{first} * targets, targets, nodes, to);
            }
        }
    }
};

}  // namespace deepfreq::cuda::spectrum
