#pragma once

#include <cstdint>
#include <cstring>

#include "common/host_device.h"
#include "kernels/cuda/spectrum_shape.h"

#ifdef __CUDACC__
#include <cuda_pipeline.h>
#endif

/// Before a loop whose arrays are to be registers: it is unrolled to the end on the device.
#ifdef __CUDA_ARCH__
#define DEEPFREQ_UNROLL _Pragma("unroll")
#else
#define DEEPFREQ_UNROLL
#endif

// What a block keeps of a tile of pairs, and where in it everything is.

namespace deepfreq::cuda::spectrum {

/// Columns of features that are taken at once; features are padded with zeros to a multiple of it.
inline constexpr int chunk = 16;

/// Halves of one row in a chunk: first the high parts of its features, then the low parts.
inline constexpr int split_halves = 2 * chunk;

/// The same when staged in shared memory, padded so that eight rows are in different banks.
inline constexpr int stage_stride = split_halves + 8;
inline constexpr int stage_rows = tile_rows + tile_columns;
inline constexpr int stage_halves = stage_rows * stage_stride;

/// Chunks that are in shared memory or on their way to it.
inline constexpr int stages = 3;

/// Floats from column to column of a tile of distances.
inline constexpr int distance_stride = tile_rows + 4;

/// Squared distance of a row to itself when it is left out, and of columns that do not exist: their weight is
/// 0.
inline constexpr float out_of_sight = 1e38F;

/// Distances are kept times log2(e), so that a weight is a power of two.
inline constexpr float log2_e = 1.44269504F;

/// What the distances from products need to know of a row.
struct alignas(8) RowShape {
    float norm;   ///< its squared length, times log2(e)
    float scale;  ///< its features are their halves times this, a power of two
};

/// The features on the device, sorted and divided by Features::unit.
struct Samples {
    std::int64_t n;
    std::int64_t padded_rows;    ///< memory of every row of every tile exists; beyond n it is zero
    int chunks;                  ///< a row has chunks * chunk columns
    bool direct;                 ///< every pair by its differences
    const float* row;            ///< [padded_rows][chunks * chunk], not centred
    const std::uint16_t* split;  ///< [chunks][padded_rows][split_halves], centred; unless direct
    const RowShape* shape;       ///< [padded_rows]; unless direct
};

/// Rows the memory of n samples must have: tiles begin anywhere below n.
constexpr std::int64_t padded_rows_of(std::int64_t n) {
    return blocks_for(n, tile_rows) * tile_rows + tile_columns;
}

/// Rows first_row … first_row+127 against columns first_column … first_column+columns-1.
struct Tile {
    std::int64_t first_row, first_column;
    int columns;
};

inline constexpr int distances_of_tile = tile_columns * distance_stride;

/// What the distances of a tile are made from.
union Stages {
    alignas(128) std::uint16_t halves[stages][stage_halves];
    struct {
        float row[chunk][tile_rows + 4];
        float column[chunk][tile_columns + 4];
    } features;
};

/// Shared memory of a block, which takes the distances of `Tiles` tiles before it sums their weights: sums in
/// global memory are then read and written so many times less often. The last tile is made where its
/// distances and the targets will be.
template <int Tiles>
union TileMemory {
    struct {
        float distance[Tiles * distances_of_tile];  ///< [column][row]
        float y[Tiles * tile_columns * targets_at_once];
    } made;
    struct {
        alignas(128) unsigned char bytes[(Tiles - 1) * distances_of_tile * sizeof(float) + sizeof(Stages)];
    } making;

    DEEPFREQ_HOST_DEVICE Stages& stage() {
        return *reinterpret_cast<Stages*>(making.bytes + (Tiles - 1) * distances_of_tile * sizeof(float));
    }
};

/// @name What the four warps make of a tile's products
/// Warp w makes rows 32 w … 32 w + 31 as fragments of 16 x 16: fragment (a, b) begins at fragment_row(w, a)
/// and fragment_column(b).
/// @{
inline constexpr int fragment = 16;
inline constexpr int fragments_down = 2;
inline constexpr int fragments_across = tile_columns / fragment;
constexpr DEEPFREQ_HOST_DEVICE int fragment_row(int warp, int a) {
    return (warp * fragments_down + a) * fragment;
}
constexpr DEEPFREQ_HOST_DEVICE int fragment_column(int b) {
    return b * fragment;
}
/// @}

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

/// @name Copies to shared memory that go on while the thread does other things (from sm_80)
/// Copies belong to the group of the next commit_copies(); wait_for_copies(later) returns when all groups of
/// this thread but the `later` last are done.
/// @{
DEEPFREQ_HOST_DEVICE inline void copy_16_bytes(void* shared, const void* global) {
#ifdef __CUDA_ARCH__
    __pipeline_memcpy_async(shared, global, 16);
#else
    std::memcpy(shared, global, 16);
#endif
}
DEEPFREQ_HOST_DEVICE inline void commit_copies() {
#ifdef __CUDA_ARCH__
    __pipeline_commit();
#endif
}
template <int Later>
DEEPFREQ_HOST_DEVICE void wait_for_copies() {
#ifdef __CUDA_ARCH__
    __pipeline_wait_prior(Later);
#endif
}
/// @}

}  // namespace deepfreq::cuda::spectrum
