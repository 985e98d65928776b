#pragma once

#include <cmath>

#include "kernels/cuda/four.h"
#include "kernels/cuda/spectrum_products.h"

// The squared distances of a tile, computed in two ways, as on the CPU.
//
// By products: |x_i|^2 + |x_j|^2 - 2 x_i.x_j (spectrum_products.h). By differences of the uncentred rows,
// with a relative error of about 1e-7, where products would cost too many digits: for pairs nearer than a
// quarter of |x_i|^2 + |x_j|^2 (`near`), one by one, or for the whole tile if more than a quarter of its
// pairs are that near.
//
// A distance by products has a relative error beta. hi + lo is within 2^-23 of each feature, but lengths are
// those of what hi and lo stand for, so this costs only what a slightly moved point does. lo.lo is left out:
// at most 2^-22 of |x_i| |x_j|, typically 2^-24. The rest is what the matrix unit truncates: each addend may
// lose a bit of the largest one, always to the same side if all products have one sign.
// tests/cuda_spectrum_distances_test.cpp lets every addend lose that much: beta <= 2.5e-6, for 33 columns of one sign and pairs just beyond `near`; 1e-6
// for 512; typically 3e-7.
//
// What that does to LFR: with u = |x_i - x_j|^2 / (2 delta), the weight exp(-u) has a relative error of u
// beta, and counts by its share of all weights. The row's own weight, 1, has no error. Errors all to one side
// shift weight between it and the others, most of all if the others are equally far and have a share 1 - s
// together. Then u = ln(n s / (1 - s)), and |y_low|^2 changes by at most 2 s^2 (1 - s) u beta, which at its
// largest, s = 2/3, is 0.3 ln(2 n) beta. For n = 40000 that is 3.4e-6 at beta = 1e-6,
// and 8.5e-6 at 2.5e-6. The weights' own error at nodes adds at most 3.8e-6 (kernels/filter_nodes.h). If i = j
// is left out, the largest weight takes its place (spectrum_nearest.h).

namespace deepfreq::cuda::spectrum {

inline constexpr float near = 0.25F;

/// Lists the pair of a thread's row and column j of its tile if it is near.
template <class Block>
DEEPFREQ_HOST_DEVICE void list_if_near(Block& block, float distance, float norms, int j,
                                       NearPairs& near_pairs) {
    if (distance > near * norms) return;
    const int place = block.fetch_add(near_pairs.count, 1);
    if (place < NearPairs::most)
        near_pairs.pair[place] = static_cast<std::uint16_t>(j * tile_rows + block.thread());
}

/// Column of the tile at which a thread's row meets itself; may lie outside the tile's columns.
DEEPFREQ_HOST_DEVICE inline std::int64_t own_column(const Pairs& x, const Tile& tile, int thread) {
    return x.sample_of(tile.first_row + thread) - tile.first_column;
}

/// Turns the products of a thread's row into distances, and lists its near pairs.
template <class Block>
DEEPFREQ_HOST_DEVICE void from_products(Block& block, float* distance, const Pairs& x, const Tile& tile,
                                        NearPairs& near_pairs) {
    const int thread = block.thread();
    const RowShape of_row = x.rows.shape[tile.first_row + thread];
    const float twice = -2.0F * of_row.scale;
    const auto itself = static_cast<int>(own_column(x, tile, thread));
    const bool real = tile.first_row + thread < x.rows.n;
    for (int j = 0; j < tile.columns; ++j) {
        const RowShape of_column = x.columns.shape[tile.first_column + j];
        const float norms = of_row.norm + of_column.norm;
        float& entry = distance[distance_of(thread, j)];
        entry = norms + twice * entry * of_column.scale;
        if (j != itself && real) list_if_near(block, entry, norms, j, near_pairs);
    }
}

/// Lists a row's near pairs among some columns, using distances computed by from_products.
template <class Block>
DEEPFREQ_HOST_DEVICE void list_near(Block& block, const float* distance, const Pairs& x, const Tile& tile,
                                    int first, int last, NearPairs& near_pairs) {
    const int thread = block.thread();
    if (tile.first_row + thread >= x.rows.n) return;
    const float of_row = x.rows.shape[tile.first_row + thread].norm;
    const auto itself = static_cast<int>(own_column(x, tile, thread));
    for (int j = first; j < last && j < tile.columns; ++j)
        if (j != itself)
            list_if_near(block, distance[distance_of(thread, j)],
                         of_row + x.columns.shape[tile.first_column + j].norm, j, near_pairs);
}

/// The distances of near pairs, by differences: one warp per pair, whose lanes take four columns at a time.
template <class Block>
DEEPFREQ_HOST_DEVICE void measure_near_pairs(Block& block, const NearPairs& near_pairs, float* distance,
                                             const Pairs& x, const Tile& tile) {
    const std::int64_t width = std::int64_t{x.rows.chunks} * chunk;
    const int lane = block.thread() % 32;
    for (int p = block.thread() / 32; p < near_pairs.count; p += tile_rows / 32) {
        const int row = near_pairs.pair[p] % tile_rows;
        const int column = near_pairs.pair[p] / tile_rows;
        const float* const a = x.rows.row + std::int64_t{tile.first_row + row} * width;
        const float* const b = x.columns.row + std::int64_t{tile.first_column + column} * width;
        float total = 0.0F;
        float recent = 0.0F;
        for (std::int64_t k = std::int64_t{lane} * 4; k < width; k += 32 * 4) {
            const Four of_a = *as_fours(a + k);
            const Four of_b = *as_fours(b + k);
            DEEPFREQ_UNROLL
            for (int i = 0; i < 4; ++i) {
                const float difference = of_a.x[i] - of_b.x[i];
                recent += difference * difference;
            }
            add_recent(total, recent);
        }
        const float sum = block.warp_sum(total + recent);
        if (lane == 0) distance[distance_of(row, column)] = sum;
    }
}

/// Stages one chunk of features for measure_differences(): 16 threads per row.
template <class Stage>
DEEPFREQ_HOST_DEVICE void stage_features(int thread, const Pairs& x, const Tile& tile, int index,
                                         Stage& stage) {
    constexpr int rows_at_once = tile_rows / chunk;
    const int first = thread / chunk;
    const int k = thread % chunk;
    const std::int64_t stride = std::int64_t{x.rows.chunks} * chunk;
    const float* const rows = x.rows.row + std::int64_t{tile.first_row + first} * stride + index * chunk + k;
    const float* const columns =
        x.columns.row + std::int64_t{tile.first_column + first} * stride + index * chunk + k;
    DEEPFREQ_UNROLL
    for (int i = 0; i < tile_rows; i += rows_at_once) stage.row[k][first + i] = rows[i * stride];
    DEEPFREQ_UNROLL
    for (int i = 0; i < tile_columns; i += rows_at_once) stage.column[k][first + i] = columns[i * stride];
}

/// distance = squared distances, by differences.
template <class Block>
DEEPFREQ_HOST_DEVICE void measure_differences(Block& block, Stages& memory, float* distance, const Pairs& x,
                                              const Tile& tile) {
    const int thread = block.thread();
    auto& stage = memory.features;
    float recent[8][8] = {};
    float total[8][8] = {};
    for (int index = 0; index < x.rows.chunks; ++index) {
        block.barrier();
        stage_features(thread, x, tile, index, stage);
        block.barrier();
        for (int k = 0; k < chunk; ++k) {
            float row[8];
            float column[8];
            DEEPFREQ_UNROLL
            for (int i = 0; i < 8; ++i) {
                row[i] = stage.row[k][difference_row(thread, i)];
                column[i] = stage.column[k][difference_column(thread, i)];
            }
            DEEPFREQ_UNROLL
            for (int i = 0; i < 8; ++i) {
                DEEPFREQ_UNROLL
                for (int j = 0; j < 8; ++j) {
                    const float difference = row[i] - column[j];
                    recent[i][j] += difference * difference;
                }
            }
        }
        if (index % chunks_per_collection != chunks_per_collection - 1 && index + 1 < x.rows.chunks) continue;
        DEEPFREQ_UNROLL
        for (int i = 0; i < 8; ++i) {
            DEEPFREQ_UNROLL
            for (int j = 0; j < 8; ++j) add_recent(total[i][j], recent[i][j]);
        }
    }
    block.barrier();
    DEEPFREQ_UNROLL
    for (int j = 0; j < 8; ++j) {
        float* const column = distance + distance_of(0, difference_column(thread, j));
        DEEPFREQ_UNROLL
        for (int i = 0; i < 8; ++i) column[difference_row(thread, i)] = total[i][j];
    }
    block.barrier();
}

/// The distances of a tile's near pairs, one by one. If there are too many to list (in which case none are
/// listed yet), a few columns are processed at a time.
template <class Block>
DEEPFREQ_HOST_DEVICE void measure_all_near(Block& block, NearPairs& near_pairs, float* distance,
                                           const Pairs& x, const Tile& tile, bool many) {
    const int columns_at_once = many ? NearPairs::most / tile_rows : tile_columns;
    DEEPFREQ_NO_UNROLL
    for (int first = 0; first < tile.columns; first += columns_at_once) {
        if (many) {
            block.barrier();  // all threads have seen what was listed before
            if (block.thread() == 0) near_pairs.count = 0;
            block.barrier();
            list_near(block, distance, x, tile, first, first + columns_at_once, near_pairs);
            block.barrier();
        }
        measure_near_pairs(block, near_pairs, distance, x, tile);
    }
    block.barrier();
}

/// distance[column][row] = |x_row - x_column|^2, and out_of_sight for a row and itself and for columns beyond
/// the tile's. Afterwards a thread may read only the distances of row block.thread().
template <class Products, class Block>
DEEPFREQ_HOST_DEVICE void make_distances(Block& block, Stages& memory, NearPairs& near_pairs, float* distance,
                                         const Pairs& x, const Tile& tile) {
    const int thread = block.thread();
    block.barrier();  // nobody still uses what is in memory
    bool by_differences = x.rows.direct;
    if (!by_differences) {
        make_products<Products>(block, memory, distance, x, tile);
        if (thread == 0) near_pairs.count = 0;
        block.barrier();
        from_products(block, distance, x, tile, near_pairs);
        block.barrier();
        const bool many = near_pairs.count > NearPairs::most;
        by_differences = many && !x.listed();
        if (!by_differences && near_pairs.count > 0)
            measure_all_near(block, near_pairs, distance, x, tile, many);
    }
    if (by_differences) measure_differences(block, memory, distance, x, tile);
    for (int j = tile.columns; j < tile_columns; ++j) distance[distance_of(thread, j)] = out_of_sight;
    const std::int64_t itself = own_column(x, tile, thread);
    if (itself >= 0 && itself < tile.columns)
        distance[distance_of(thread, static_cast<int>(itself))] = out_of_sight;
}

}  // namespace deepfreq::cuda::spectrum
