#pragma once

#include <cstdint>

#include "common/host_device.h"
#include "kernels/cuda/matrix_fragments.h"
#include "kernels/cuda/spectrum_shape.h"

/// Put before a loop whose arrays should be registers: it is fully unrolled on the device.
#ifdef __CUDA_ARCH__
#define DEEPFREQ_UNROLL _Pragma("unroll")
#else
#define DEEPFREQ_UNROLL
#endif

/// Put before a loop whose sums already fill the registers.
#ifdef __CUDA_ARCH__
#define DEEPFREQ_NO_UNROLL _Pragma("unroll 1")
#else
#define DEEPFREQ_NO_UNROLL
#endif

/// A function that is called, not inlined, so that what it needs costs its callers no registers.
#ifdef __CUDACC__
#define DEEPFREQ_CALLED __noinline__
#else
#define DEEPFREQ_CALLED
#endif

// What a block keeps of a tile of pairs, and where everything is in it.

namespace deepfreq::cuda::spectrum {

/// Feature columns that are processed at once; features are padded with zeros to a multiple of this.
inline constexpr int chunk = 16;
static_assert(chunk == fragments::depth, "one instruction takes one chunk");
static_assert(tile_columns % fragments::depth == 0, "and whole fragments of a tile's columns");

/// Halves of one row in a chunk: first the high parts of its features, then the low parts.
inline constexpr int split_halves = 2 * chunk;

/// The same when staged in shared memory, padded so that eight rows fall into different banks.
inline constexpr int stage_stride = split_halves + 8;
inline constexpr int stage_rows = tile_rows + tile_columns;
inline constexpr int stage_halves = stage_rows * stage_stride;

/// Number of chunks that are in shared memory or on their way to it.
inline constexpr int stages = 3;

/// Floats from column to column of a tile of distances.
inline constexpr int distance_stride = tile_rows + 4;

/// Squared distance of a row to itself, whose weight needs no sum, and of columns that do not exist: their
/// weight is 0.
inline constexpr float out_of_sight = 1e38F;

/// What distances from products need to know about a row.
struct alignas(8) RowShape {
    float norm;   ///< its squared length
    float scale;  ///< its features are their halves times this, a power of two
};

/// Features on the device, divided by Features::unit.
struct Samples {
    std::int64_t n;
    std::int64_t padded_rows;    ///< every row of every tile has memory; beyond n it is zero
    int chunks;                  ///< a row has chunks * chunk columns
    bool direct;                 ///< every pair by differences
    const float* row;            ///< [padded_rows][chunks * chunk], not centred
    const std::uint16_t* split;  ///< [chunks][padded_rows][split_halves], centred; unless direct
    const RowShape* shape;       ///< [padded_rows]; unless direct
};

/// The giving samples, sorted, and the receiving ones: the same, or listed ones, whose distances then do not
/// depend on what else is in a tile.
struct Pairs {
    Samples columns, rows;
    const std::int32_t*
        sample;  ///< of each row, with padding (-1): which of the columns it is; null: the same

    DEEPFREQ_HOST_DEVICE bool listed() const { return sample != nullptr; }
    DEEPFREQ_HOST_DEVICE std::int64_t sample_of(std::int64_t row) const {
        return sample == nullptr ? row : sample[row];
    }
};

/// Number of rows for which the memory of n samples must have room: tiles can begin anywhere below n.
constexpr std::int64_t padded_rows_of(std::int64_t n) {
    return blocks_for(n, tile_rows) * tile_rows + tile_columns;
}

/// Rows first_row … first_row+127 against columns first_column … first_column+columns-1.
struct Tile {
    std::int32_t first_row, first_column, columns;
};

inline constexpr int distances_of_tile = tile_columns * distance_stride;

/// What the distances of a tile are computed from.
union Stages {
    alignas(128) std::uint16_t halves[stages][stage_halves];
    struct {
        float row[chunk][tile_rows + 4];
        float column[chunk][tile_columns + 4];
    } features;
};

/// Pairs of a tile that are processed one by one, as column * tile_rows + row in any order. At most a quarter
/// of all pairs: beyond that, it is cheaper to recompute the whole tile.
struct NearPairs {
    static constexpr int most = tile_rows * tile_columns / 4;
    int count;  ///< of all near pairs, also where they are more
    std::uint16_t pair[most];
};

/// Targets of a block's columns, split (spectrum_targets.h), and padded so that what a warp reads at once falls
/// into different banks.
struct TargetTile {
    static constexpr int stride = most_tiles * tile_columns + 8;
    alignas(4) std::uint16_t high[targets_at_once][stride];  // read two at a time
    alignas(4) std::uint16_t low[targets_at_once][stride];
};

/// Shared memory of a block. It computes the distances of `Tiles` tiles before it sums their weights, so sums
/// in global memory are read and written that many times less often. The last tile is computed where its
/// distances and the targets will be.
template <int Tiles>
union TileMemory {
    struct {
        float distance[Tiles * distances_of_tile];  ///< [column][row]
        TargetTile targets;
    } made;
    struct {
        alignas(128) unsigned char bytes[(Tiles - 1) * distances_of_tile * sizeof(float) + sizeof(Stages)];
    } making;
    struct {
        float distance[Tiles * distances_of_tile];
        NearPairs near_pairs;
    } judging;

    DEEPFREQ_HOST_DEVICE Stages& stage() {
        return *reinterpret_cast<Stages*>(making.bytes + (Tiles - 1) * distances_of_tile * sizeof(float));
    }
};

/// Two if two blocks of two tiles fit on a multiprocessor (from 160 KiB on), so that one can multiply while
/// the other sums weights; otherwise one. The system reserves 1 KiB per block.
constexpr int tiles_that_fit(std::size_t shared_of_block, std::size_t shared_of_multiprocessor) {
    constexpr std::size_t bytes = sizeof(TileMemory<2>);
    return bytes <= shared_of_block && 2 * (bytes + 1024) <= shared_of_multiprocessor ? 2 : 1;
}

/// @name Offsets in a stage, in halves
/// @{
constexpr DEEPFREQ_HOST_DEVICE int stage_of_row(int row) {
    return row * stage_stride;
}
constexpr DEEPFREQ_HOST_DEVICE int stage_of_column(int column) {
    return (tile_rows + column) * stage_stride;
}
inline constexpr int low_part = chunk;  ///< from a row's high parts to its low ones
/// @}

/// @name How the four warps compute a tile's products
/// Warp w computes rows 32 w … 32 w + 31, in fragments of 16 rows and 8 columns.
/// @{
inline constexpr int fragments_down = 2;
inline constexpr int fragments_across = tile_columns / 8;
constexpr DEEPFREQ_HOST_DEVICE int fragment_row(int thread, int a) {
    return (thread / 32 * fragments_down + a) * 16;
}
/// The pair whose product is register i of fragment (a, b).
constexpr DEEPFREQ_HOST_DEVICE fragments::Place product_place(int thread, int a, int b, int i) {
    const auto [row, column] = fragments::sum(thread % 32, i);
    return {fragment_row(thread, a) + row, b * 8 + column};
}
/// Where in a stage, in halves, a thread points ldmatrix: to the rows of fragments (a, …), and to the columns
/// of fragments (…, b) and (…, b + 1).
constexpr DEEPFREQ_HOST_DEVICE int row_address(int thread, int a) {
    const auto [row, k] = fragments::first_address(thread % 32);
    return stage_of_row(fragment_row(thread, a) + row) + k;
}
constexpr DEEPFREQ_HOST_DEVICE int column_address(int thread, int b) {
    const auto [column, k] = fragments::second_address(thread % 32);
    return stage_of_column(b * 8 + column) + k;
}
/// @}

/// Offset of a pair in the tile of distances.
constexpr DEEPFREQ_HOST_DEVICE int distance_of(int row, int column) {
    return column * distance_stride + row;
}

/// @name The eight rows and eight columns whose differences a thread takes
/// In fours, so that they are read four at a time; neighbouring threads read neighbouring fours.
/// @{
constexpr DEEPFREQ_HOST_DEVICE int difference_row(int thread, int i) {
    return i / 4 * (tile_rows / 2) + thread % 16 * 4 + i % 4;
}
constexpr DEEPFREQ_HOST_DEVICE int difference_column(int thread, int i) {
    return i / 4 * (tile_columns / 2) + thread / 16 * 4 + i % 4;
}
/// @}

}  // namespace deepfreq::cuda::spectrum
