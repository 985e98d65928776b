#pragma once

#include "kernels/cuda/spectrum_nearest.h"
#include "kernels/cuda/spectrum_targets.h"
#include "kernels/cuda/spectrum_weights.h"

// The kernels that turn features into sums of weights: the distances of one or two tiles at a time, then
// their weights at all nodes. Sums are floats within these tiles and compensated from there on.
//
// WeightedSums computes the distance of a pair once for each of its samples, SymmetricSums once for both. The
// weights are made twice even so: a thread that has a row can add to the sums of that row only.

namespace deepfreq::cuda::spectrum {

/// The distances of the rows from first_row on to the columns first … first+columns-1: up to Tiles tiles.
/// `nearest`, if any, is subtracted per row. Afterwards a thread may read only those of row block.thread().
template <class Products, int Tiles, class Block>
DEEPFREQ_HOST_DEVICE void make_tiles(Block& block, TileMemory<Tiles>& shared, const Pairs& x,
                                     std::int32_t first_row, std::int32_t first, int columns,
                                     const double* nearest) {
    for (int at = 0; at < columns; at += tile_columns) {
        const Tile tile{first_row, first + at, columns - at < tile_columns ? columns - at : tile_columns};
        float* const made = shared.made.distance + distance_of(0, at);
        make_distances<Products>(block, shared.stage(), shared.judging.near_pairs, made, x, tile);
        if (nearest != nullptr)
            take_off_nearest(made, ExactPairs(x, tile, block.thread()), block.thread(),
                             nearest[first_row + block.thread()]);
    }
}

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
                make_tiles<typename MatrixUnit::Products>(
                    block, shared, x, static_cast<std::int32_t>(first_row + row_block * tile_rows), first,
                    columns, nearest);
                // Only now, so that what is not yet needed takes no registers from the products.
                const std::int64_t index = (row_block * all_segments + s) * targets * nodes.count;
                const SegmentSums to{sums + index * tile_rows, first == begin};
                if constexpr (OneHot)
                    add_all_weights(RowOfTile{shared.made.distance + block.thread(), 0, columns}, nodes,
                                    to.from(block.thread()));
                else
                    add_all_targets<MatrixUnit>(block, shared.made.distance, shared.made.targets, columns,
                                                y + std::int64_t{first} * targets, targets, nodes, to);
            }
        }
    }
};

/// The same for one-hot targets whose samples all give and receive, with no `nearest`: a pair must have the same
/// distance in both orders. Block b handles the pairs of two parts of
/// the samples, square_of(b, parts), and adds to the sums of both: to those of its rows, one thread per row, and
/// to those of its columns, one thread per column. A sum belongs to a row and a segment, so to two parts, so to
/// one block.
///
/// Parts begin at whole row blocks. A part's pairs with itself, a fraction 1 / parts of all, are taken twice, as
/// if it were two parts.
template <class MatrixUnit>
struct SymmetricSums {
    static constexpr int threads = tile_rows;
    static constexpr int blocks_at_once = 2;
    using Shared = TileMemory<most_tiles>;
    static_assert(most_tiles * tile_columns == tile_rows, "there is a thread for every column");

    Pairs x;
    Nodes nodes;
    const Segment* segments;
    const std::int32_t* first_segment;  ///< [parts + 1]
    std::int64_t all_segments;
    int parts;
    math::CompensatedSum* sums;

    template <class Block>
    DEEPFREQ_HOST_DEVICE void operator()(Block& block, Shared& shared) const {
        const Square square = square_of(block.index(), parts);
        const int thread = block.thread();
        float* const distance = shared.made.distance;
        for (std::int32_t row = begin_of(square.rows); row < end_of(square.rows); row += tile_rows)
            for (std::int32_t column = begin_of(square.columns); column < end_of(square.columns);
                 column += tile_rows) {
                make_tiles<typename MatrixUnit::Products>(block, shared, x, row, column, tile_rows, nullptr);
                add<RowOfTile>(distance + distance_of(thread, 0), row + thread, square.columns, column);
                if (square.rows == square.columns) continue;
                block.barrier();  // make_tiles promises a thread no more than its own row
                add<ColumnOfTile>(distance + distance_of(0, thread), column + thread, square.rows, row);
            }
    }

  private:
    DEEPFREQ_HOST_DEVICE std::int32_t begin_of(int part) const {
        return static_cast<std::int32_t>(segments[first_segment[part]].first);
    }
    DEEPFREQ_HOST_DEVICE std::int32_t end_of(int part) const {
        return static_cast<std::int32_t>(segments[first_segment[part + 1] - 1].last);
    }

    /// Adds the weights of a sample's distances to the 128 samples from `first` on, segment by segment of their
    /// part.
    template <class Line>
    DEEPFREQ_HOST_DEVICE void add(const float* distance, std::int32_t sample, int part,
                                  std::int32_t first) const {
        const std::int64_t row_block = sample / tile_rows;
        for (std::int32_t s = first_segment[part]; s < first_segment[part + 1]; ++s) {
            const int begin = static_cast<int>(segments[s].first) - first;
            const int end = static_cast<int>(segments[s].last) - first;
            if (end <= 0 || begin >= tile_rows) continue;
            math::CompensatedSum* const to =
                sums + (row_block * all_segments + s) * nodes.count * tile_rows + sample % tile_rows;
            add_all_weights(Line{distance, begin > 0 ? begin : 0, end < tile_rows ? end : tile_rows}, nodes,
                            {to, begin >= 0});
        }
    }
};

}  // namespace deepfreq::cuda::spectrum
