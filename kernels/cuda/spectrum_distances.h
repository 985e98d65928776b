#pragma once

#include <cmath>

#include "kernels/cuda/half_bits.h"
#include "kernels/cuda/spectrum_tile.h"

// The squared distances of a tile, in two ways, as on the CPU.
//
// By products: |x_i|^2 + |x_j|^2 - 2 x_i.x_j, the products on the matrix units in half precision. A centred
// row is scaled by a power of two of its own to a length in [2^9, 2^10), so that outliers cost the others
// nothing, and split into hi + lo, 22 bits together; x_i.x_j is lo.hi + hi.lo + hi.hi. `Products` does this:
// MatrixUnit (spectrum_matrix_unit.cuh) on the device, ScalarProducts in the tests.
//
// Its error, as a part e of |x_i| |x_j|: hi + lo is within 2^-22 of each feature; lo.lo is left out, 2^-22
// more; the matrix unit truncates what it adds up, by up to 2^-23 of the sum each time, 12 times in the four
// chunks after which its sums are added to others that are rounded: 1.4e-6. Together e <= 2e-6, and of a
// distance that is at least a quarter of |x_i|^2 + |x_j|^2 (`near`) that is at most 4 e = 8e-6. A weight
// exp(-u) then errs by at most u exp(-u) 8e-6 <= 3e-6; typically ten times less, as truncations of both signs
// cancel.
//
// By differences of the uncentred rows, when any pair of the tile is nearer than that: to about 1e-7 each.

namespace deepfreq::cuda::spectrum {

inline constexpr float near = 0.25F;

/// Chunks whose products are summed within the matrix unit.
inline constexpr int chunks_per_collection = 4;

/// The float next to x on the side of 0.
inline float truncated(double x) {
    const auto nearest = static_cast<float>(x);
    return std::fabs(static_cast<double>(nearest)) > std::fabs(x) ? std::nextafter(nearest, 0.0F) : nearest;
}

/// The products as plain loops, with sums truncated as a matrix unit does at worst. A lane of a warp has 8
/// pairs of each of the warp's fragments.
class ScalarProducts {
  public:
    explicit ScalarProducts(int thread) : warp_(thread / 32), lane_(thread % 32) {}

    /// Adds the products of one staged chunk.
    void add(const std::uint16_t* stage) {
        for (int a = 0; a < fragments_down; ++a)
            for (int b = 0; b < fragments_across; ++b)
                for (int e = 0; e < 8; ++e) {
                    const std::uint16_t* const x = stage + stage_of_row(row(a));
                    const std::uint16_t* const y = stage + stage_of_column(column(b, e));
                    float& sum = recent_[a][b][e];
                    sum = truncated(sum + product(x + low_part, y));
                    sum = truncated(sum + product(x, y + low_part));
                    sum = truncated(sum + product(x, y));
                }
    }

    /// Adds what was summed since the last time to the products.
    void collect() {
        for (int a = 0; a < fragments_down; ++a)
            for (int b = 0; b < fragments_across; ++b)
                for (int e = 0; e < 8; ++e) {
                    product_[a][b][e] += recent_[a][b][e];
                    recent_[a][b][e] = 0.0F;
                }
    }

    /// Writes the products where distances belong.
    void store(float* distance) const {
        for (int a = 0; a < fragments_down; ++a)
            for (int b = 0; b < fragments_across; ++b)
                for (int e = 0; e < 8; ++e) distance[distance_of(row(a), column(b, e))] = product_[a][b][e];
    }

  private:
    static double product(const std::uint16_t* x, const std::uint16_t* y) {
        double sum = 0.0;
        for (int k = 0; k < chunk; ++k)
            sum += static_cast<double>(half_value(x[k])) * static_cast<double>(half_value(y[k]));
        return sum;
    }
    int row(int a) const { return fragment_row(warp_, a) + lane_ / 2; }
    int column(int b, int e) const { return fragment_column(b) + lane_ % 2 * 8 + e; }

    int warp_, lane_;
    float recent_[fragments_down][fragments_across][8] = {};
    float product_[fragments_down][fragments_across][8] = {};
};

/// Starts copying one chunk of a tile's rows and columns to shared memory: four threads a row.
DEEPFREQ_HOST_DEVICE inline void copy_chunk(int thread, const Samples& x, const Tile& tile, int index,
                                            std::uint16_t* stage) {
    constexpr int rows_at_once = tile_rows / 4;
    const int first = thread / 4;
    const int offset = thread % 4 * 8;
    const std::uint16_t* const split = x.split + index * x.padded_rows * split_halves + offset;
    const std::uint16_t* const rows = split + (tile.first_row + first) * split_halves;
    const std::uint16_t* const columns = split + (tile.first_column + first) * split_halves;
    DEEPFREQ_UNROLL
    for (int i = 0; i < tile_rows; i += rows_at_once)
        copy_16_bytes(stage + stage_of_row(first + i) + offset, rows + i * split_halves);
    DEEPFREQ_UNROLL
    for (int i = 0; i < tile_columns; i += rows_at_once)
        copy_16_bytes(stage + stage_of_column(first + i) + offset, columns + i * split_halves);
}

/// distance = products x_i.x_j of the scaled rows.
template <class Products, class Block>
DEEPFREQ_HOST_DEVICE void make_products(Block& block, Stages& memory, float* distance, const Samples& x,
                                        const Tile& tile) {
    const int thread = block.thread();
    Products products(thread);
    for (int ahead = 0; ahead < stages - 1; ++ahead) {
        if (ahead < x.chunks) copy_chunk(thread, x, tile, ahead, memory.halves[ahead]);
        commit_copies();
    }
    int stage = 0;
    for (int index = 0; index < x.chunks; ++index) {
        wait_for_copies<stages - 2>();
        block.barrier();  // this chunk is there for all, and nobody reads the one before it any more
        const int next = index + stages - 1;
        const int freed = stage == 0 ? stages - 1 : stage - 1;
        if (next < x.chunks) copy_chunk(thread, x, tile, next, memory.halves[freed]);
        commit_copies();
        products.add(memory.halves[stage]);
        if (index % chunks_per_collection == chunks_per_collection - 1) products.collect();
        stage = stage == stages - 1 ? 0 : stage + 1;
    }
    products.collect();
    block.barrier();
    products.store(distance);
    block.barrier();
}

/// From the products to the distances of a thread's row; whether one of its pairs is near.
DEEPFREQ_HOST_DEVICE inline bool from_products(int thread, float* distance, const Samples& x,
                                               const Tile& tile) {
    const RowShape of_row = x.shape[tile.first_row + thread];
    const float twice = -2.0F * of_row.scale * log2_e;
    const std::int64_t itself = tile.first_row + thread - tile.first_column;
    float nearest = out_of_sight;
    for (int j = 0; j < tile.columns; ++j) {
        const RowShape of_column = x.shape[tile.first_column + j];
        const float norms = of_row.norm + of_column.norm;
        float& entry = distance[distance_of(thread, j)];
        const float found = norms + twice * entry * of_column.scale;
        const float beyond = j == itself ? out_of_sight : found - near * norms;
        nearest = beyond < nearest ? beyond : nearest;
        entry = found > 0.0F ? found : 0.0F;
    }
    return nearest <= 0.0F && tile.first_row + thread < x.n;
}

/// Stages one chunk of features for measure_differences(): 16 threads a row.
template <class Stage>
DEEPFREQ_HOST_DEVICE void stage_features(int thread, const Samples& x, const Tile& tile, int index,
                                         Stage& stage) {
    constexpr int rows_at_once = tile_rows / chunk;
    const int first = thread / chunk;
    const int k = thread % chunk;
    const std::int64_t stride = std::int64_t{x.chunks} * chunk;
    const float* const rows = x.row + (tile.first_row + first) * stride + index * chunk + k;
    const float* const columns = x.row + (tile.first_column + first) * stride + index * chunk + k;
    DEEPFREQ_UNROLL
    for (int i = 0; i < tile_rows; i += rows_at_once) stage.row[k][first + i] = rows[i * stride];
    DEEPFREQ_UNROLL
    for (int i = 0; i < tile_columns; i += rows_at_once) stage.column[k][first + i] = columns[i * stride];
}

/// distance = squared distances, by differences.
template <class Block>
DEEPFREQ_HOST_DEVICE void measure_differences(Block& block, Stages& memory, float* distance, const Samples& x,
                                              const Tile& tile) {
    const int thread = block.thread();
    auto& stage = memory.features;
    float sum[8][8] = {};
    for (int index = 0; index < x.chunks; ++index) {
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
                    sum[i][j] += difference * difference;
                }
            }
        }
    }
    block.barrier();
    DEEPFREQ_UNROLL
    for (int j = 0; j < 8; ++j) {
        float* const column = distance + distance_of(0, difference_column(thread, j));
        DEEPFREQ_UNROLL
        for (int i = 0; i < 8; ++i) column[difference_row(thread, i)] = sum[i][j] * log2_e;
    }
    block.barrier();
}

/// distance[column][row] = |x_row - x_column|^2 log2(e), exactly `diagonal` for a row and itself and
/// out_of_sight for columns beyond the tile's. Afterwards a thread may read the distances of row
/// block.thread() only.
template <class Products, class Block>
DEEPFREQ_HOST_DEVICE void make_distances(Block& block, Stages& memory, float* distance, const Samples& x,
                                         const Tile& tile, float diagonal) {
    const int thread = block.thread();
    block.barrier();  // what is in memory is done with
    bool by_differences = x.direct;
    if (!x.direct) {
        make_products<Products>(block, memory, distance, x, tile);
        by_differences = block.any(from_products(thread, distance, x, tile));
    }
    if (by_differences) measure_differences(block, memory, distance, x, tile);
    for (int j = tile.columns; j < tile_columns; ++j) distance[distance_of(thread, j)] = out_of_sight;
    const std::int64_t itself = tile.first_row + thread - tile.first_column;
    if (itself >= 0 && itself < tile.columns)
        distance[distance_of(thread, static_cast<int>(itself))] = diagonal;
}

}  // namespace deepfreq::cuda::spectrum
