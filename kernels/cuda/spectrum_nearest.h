#pragma once

#include <cmath>

#include "kernels/cuda/spectrum_distances.h"

// Distances relative to the smallest in their row.
//
// Without its own sample, a row has no weight of 1, and at large widths all its weights would underflow.
// Relative to the largest of them they do not: exp(-(|x_i - x_j|^2 - min_k |x_i - x_k|^2) / (2 delta)). A
// first pass finds the smallest distance of every row, computed in double. The pass that sums weights
// subtracts it, and recomputes a distance in double where the difference would have too few digits.

namespace deepfreq::cuda::spectrum {

/// A thread's row of a tile and the columns, with uncentred features. Passed by value, so that the functions
/// it is passed to need no memory for it.
struct ExactPairs {
    const float* row;
    const float* columns;
    std::int64_t width;
    int count;   ///< number of columns
    int itself;  ///< the row's own column, possibly not among these

    DEEPFREQ_HOST_DEVICE ExactPairs(const Pairs& x, const Tile& tile, int thread)
        : width(std::int64_t{x.rows.chunks} * chunk),
          count(tile.first_row + thread < x.rows.n ? tile.columns : 0),
          itself(static_cast<int>(own_column(x, tile, thread))) {
        row = x.rows.row + (tile.first_row + thread) * width;
        columns = x.columns.row + tile.first_column * width;
    }

    /// |x_row - x_j|^2, with a relative error of only 2^-53.
    DEEPFREQ_HOST_DEVICE double distance(int j) const {
        const float* const column = columns + j * width;
        double sum = 0.0;
        for (std::int64_t k = 0; k < width; k += 4) {
            const Four of_row = *as_fours(row + k);
            const Four of_column = *as_fours(column + k);
            for (int c = 0; c < 4; ++c) {
                const double difference =
                    static_cast<double>(of_row.x[c]) - static_cast<double>(of_column.x[c]);
                sum += difference * difference;
            }
        }
        return sum;
    }
};

/// Subtracts `nearest`, the smallest distance of the whole row, from the distances of a thread's row in a
/// tile. The row itself and columns that do not exist stay out of sight.
DEEPFREQ_CALLED DEEPFREQ_HOST_DEVICE inline void take_off_nearest(float* distance, ExactPairs pairs,
                                                                  int thread, double nearest) {
    const auto smallest = static_cast<float>(nearest);
    for (int j = 0; j < pairs.count; ++j) {
        if (j == pairs.itself) continue;
        float& entry = distance[distance_of(thread, j)];
        // Below this, the relative error of the difference would be more than twice that of the distance.
        if (entry >= 2.0F * smallest) {
            entry -= smallest;
        } else {
            const double left = pairs.distance(j) - nearest;
            entry = left > 0.0 ? static_cast<float>(left) : 0.0F;
        }
    }
}

/// nearest[part * rows + row] = the smallest |x_row - x_j|^2 over the other samples j in that part of the
/// columns; infinite if there is none. Block b handles part b % parts and the rows from 128 (b / parts) on.
template <class Products>
struct NearestOthers {
    static constexpr int threads = tile_rows;
    static constexpr int blocks_at_once = 2;
    using Shared = TileMemory<1>;

    Pairs x;
    int parts;
    std::int64_t rows;  ///< a multiple of tile_rows, at least the number of receiving rows
    double* nearest;    ///< [parts][rows]

    template <class Block>
    DEEPFREQ_HOST_DEVICE void operator()(Block& block, Shared& shared) const {
        const std::int64_t part = block.index() % parts;
        const std::int64_t first_row = block.index() / parts * tile_rows;
        const std::int64_t tiles = blocks_for(x.columns.n, tile_columns);
        double best = static_cast<double>(INFINITY);
        for (std::int64_t t = tiles * part / parts; t < tiles * (part + 1) / parts; ++t) {
            const std::int64_t first = t * tile_columns, left = x.columns.n - first;
            const Tile tile{static_cast<std::int32_t>(first_row), static_cast<std::int32_t>(first),
                            left < tile_columns ? static_cast<int>(left) : tile_columns};
            make_distances<Products>(block, shared.stage(), shared.judging.near_pairs, shared.made.distance,
                                     x, tile);
            search(shared.made.distance, ExactPairs(x, tile, block.thread()), block.thread(), best);
        }
        nearest[part * rows + first_row + block.thread()] = best;
    }

  private:
    DEEPFREQ_HOST_DEVICE static void search(const float* distance, const ExactPairs& pairs, int thread,
                                            double& best) {
        constexpr double error = 1e-5;  // upper bound on the relative error of a distance in a tile
        auto limit = static_cast<float>(best * (1.0 + error));
        for (int j = 0; j < pairs.count; ++j) {
            if (j == pairs.itself || distance[distance_of(thread, j)] > limit) continue;
            const double exact = pairs.distance(j);
            if (exact >= best) continue;
            best = exact;
            limit = static_cast<float>(best * (1.0 + error));
        }
    }
};

/// nearest[row] = the smallest over all parts; 0 if there is only one sample.
struct NearestOfParts {
    const double* of_parts;  ///< [parts][rows]
    int parts;
    std::int64_t rows;
    double* nearest;  ///< [rows]

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t row) const {
        double best = of_parts[row];
        for (int part = 1; part < parts; ++part) {
            const double other = of_parts[part * rows + row];
            best = other < best ? other : best;
        }
        nearest[row] = std::isfinite(best) ? best : 0.0;
    }
};

}  // namespace deepfreq::cuda::spectrum
