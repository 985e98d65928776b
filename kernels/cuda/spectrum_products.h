#pragma once

#include "kernels/cuda/spectrum_tile.h"

// The products x_i.x_j of a tile, in half precision on the matrix units. Each centred row is scaled by its
// own power of two to a length in [2^9, 2^10), so that outliers cost the others nothing, and split into hi +
// lo, 22 bits together; x_i.x_j is lo.hi + hi.lo + hi.hi. `Products` accumulates one chunk of them:
// MatrixUnit (spectrum_matrix_unit.cuh) on the device, MatrixUnitOnHost in the tests.

namespace deepfreq::cuda::spectrum {

/// Number of chunks whose products are summed within the matrix unit, which truncates (4 would double the
/// largest error).
inline constexpr int chunks_per_collection = 2;

/// Moves the recent sum to the total, and replaces it with the rounding error, which joins the next sum
/// (Kahan). So the total's error does not grow with the number of columns.
DEEPFREQ_HOST_DEVICE inline void add_recent(float& total, float& recent) {
    const float sum = total + recent;
    recent -= sum - total;
    total = sum;
}

/// The products of a thread's pairs, in the registers of the matrix instruction.
class ProductSums {
  public:
    DEEPFREQ_HOST_DEVICE explicit ProductSums(int thread) : thread_(thread) {}

    DEEPFREQ_HOST_DEVICE void collect() {
        DEEPFREQ_UNROLL
        for (int a = 0; a < fragments_down; ++a) {
            DEEPFREQ_UNROLL
            for (int b = 0; b < fragments_across; ++b) {
                DEEPFREQ_UNROLL
                for (int i = 0; i < 4; ++i) add_recent(total_[a][b][i], recent_[a][b][i]);
            }
        }
    }

    /// Writes the totals to where distances belong.
    DEEPFREQ_HOST_DEVICE void store(float* distance) const {
        DEEPFREQ_UNROLL
        for (int a = 0; a < fragments_down; ++a) {
            DEEPFREQ_UNROLL
            for (int b = 0; b < fragments_across; ++b) {
                DEEPFREQ_UNROLL
                for (int i = 0; i < 4; ++i) {
                    const auto [row, column] = product_place(thread_, a, b, i);
                    distance[distance_of(row, column)] = total_[a][b][i];
                }
            }
        }
    }

  protected:
    int thread_;
    float recent_[fragments_down][fragments_across][4] = {};

  private:
    float total_[fragments_down][fragments_across][4] = {};
};

/// Starts copying one chunk of a tile's rows and columns to shared memory, with four threads per row.
template <class Block>
DEEPFREQ_HOST_DEVICE void copy_chunk(Block& block, const Pairs& x, const Tile& tile, int index,
                                     std::uint16_t* stage) {
    constexpr int rows_at_once = tile_rows / 4;
    const int first = block.thread() / 4;
    const int offset = block.thread() % 4 * 8;
    const auto from = [&](const Samples& of, std::int32_t first_row) {
        return of.split + (index * of.padded_rows + first_row + first) * split_halves + offset;
    };
    const std::uint16_t* const rows = from(x.rows, tile.first_row);
    const std::uint16_t* const columns = from(x.columns, tile.first_column);
    DEEPFREQ_UNROLL
    for (int i = 0; i < tile_rows; i += rows_at_once)
        block.copy_16_bytes(stage + stage_of_row(first + i) + offset, rows + i * split_halves);
    DEEPFREQ_UNROLL
    for (int i = 0; i < tile_columns; i += rows_at_once)
        block.copy_16_bytes(stage + stage_of_column(first + i) + offset, columns + i * split_halves);
}

/// distance = products x_i.x_j of the scaled rows.
template <class Products, class Block>
DEEPFREQ_HOST_DEVICE void make_products(Block& block, Stages& memory, float* distance, const Pairs& x,
                                        const Tile& tile) {
    Products products(block.thread());
    for (int ahead = 0; ahead < stages - 1; ++ahead) {
        if (ahead < x.rows.chunks) copy_chunk(block, x, tile, ahead, memory.halves[ahead]);
        block.commit_copies();
    }
    int stage = 0;
    for (int index = 0; index < x.rows.chunks; ++index) {
        block.template wait_for_copies<stages - 2>();
        block.barrier();  // this chunk is there for all, and nobody still reads the one before
        const int next = index + stages - 1;
        const int freed = stage == 0 ? stages - 1 : stage - 1;
        if (next < x.rows.chunks) copy_chunk(block, x, tile, next, memory.halves[freed]);
        block.commit_copies();
        products.add(memory.halves[stage]);
        if (index % chunks_per_collection == chunks_per_collection - 1) products.collect();
        stage = stage == stages - 1 ? 0 : stage + 1;
    }
    products.collect();
    block.barrier();
    products.store(distance);
    block.barrier();
}

}  // namespace deepfreq::cuda::spectrum
