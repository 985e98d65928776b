#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cpu/spectrum_vector.h"
#include "kernels/spectrum_backend.h"

namespace deepfreq::spectrum {

/// @name The part of a matrix product that is kept in registers: rows times vectors of columns
/// @{
inline constexpr int product_rows = lanes == 16 ? 8 : 4;
inline constexpr int product_vectors = lanes == 8 ? 3 : 2;
/// @}

/// Samples are processed in blocks of this many rows, so that the distances between two blocks stay in the
/// second-level cache. A multiple of the sizes that products and panels take.
inline constexpr int block_rows = lanes == 8 ? 240 : 256;

/// Floats from row to row of a tile of distances. Not a power of two, since columns would then share a few
/// cache sets.
inline constexpr int tile_stride = 272;
inline constexpr int tile_floats = block_rows * tile_stride;

/// Rows first … first+count-1.
struct Block {
    std::int64_t first = 0;
    int count = 0;
};

/// Sorted rows first … last-1 all belong to one class.
struct Run {
    std::int64_t first, last;
    int label;
};

/// The targets, and an order of the samples that suits them.
struct Targets {
    std::vector<std::int64_t> order;  ///< sorted row i is row order[i] of the caller
    bool one_hot = false;
    int classes = 0;            ///< one-hot: number of classes
    std::vector<Run> runs;      ///< one-hot: the samples sorted by class
    std::vector<int> run;       ///< one-hot: the run of each sorted row
    int columns = 0;            ///< else: c + 1, the last column is all ones
    std::vector<float> value;   ///< else: [n, columns], divided by `unit`
    double unit = 1.0;          ///< a power of two, so that no weighted sum overflows
    std::vector<double> total;  ///< each sum if every weight were 1: members of a class, or a column's sum

    /// Number of weighted sums kept per row and node: one per class, or one per column.
    int sums() const { return one_hot ? classes : columns; }
    const Run& run_of(std::int64_t row) const { return runs[run[row]]; }
    /// What a sorted row adds to sum s per unit of weight.
    double of(std::int64_t row, int s) const {
        if (one_hot) return run_of(row).label == s ? 1.0 : 0.0;
        return static_cast<double>(value[row * columns + s]);
    }
};

/// Checks for one-hot rows, and sorts by class if all rows are one-hot.
Targets prepare_targets(ConstTensor y);

/// The features in the forms needed by exact and fast distances. All are divided by `unit`, a power of two
/// that brings the length of the longest centred row below 1. Squared distances then stay below 4 and cannot
/// overflow.
struct Features {
    std::int64_t n = 0;
    int d = 0;
    int stride = 0;  ///< floats from row to row; the padding is 0
    double unit = 1.0;
    double largest_distance = 0.0;  ///< no squared distance is larger
    bool direct = false;            ///< every pair by differences: few columns or few rows
    Buffer memory;
    float* row = nullptr;     ///< [n, stride], not centred: each difference has a single rounding error
    float* column = nullptr;  ///< [blocks][d][block_rows], the same by columns; only if d is small
    /// [blocks * block_rows / lanes][d][lanes], centred, in panels of neighbouring rows as products want
    /// them; rows beyond n are 0. Only if not direct.
    float* centred = nullptr;
    /// [blocks * block_rows]: squared lengths of the centred rows. Only if not direct.
    float* norm = nullptr;

    std::int64_t blocks() const { return (n + block_rows - 1) / block_rows; }
    const float* panel(std::int64_t index) const { return centred + index / lanes * d * lanes; }
    Block block(std::int64_t index) const {
        const std::int64_t first = index * block_rows;
        return {first, static_cast<int>(n - first < block_rows ? n - first : block_rows)};
    }
};

/// Copies x, scaled by column, in the given row order, divided by `unit` and centred. Throws Interrupted if
/// `stop` asks for it.
Features prepare_features(SpectrumBackend& backend, ConstTensor x, const ColumnScale& scale,
                          const std::vector<std::int64_t>& order, const std::function<bool()>& stop);

/// Number of floats that `gather` needs.
std::size_t gathered_floats(const Features& x);
/// Copies at most block_rows rows of x, in the order listed, into the given memory, as the only block of a
/// new set of features. Their distances equal those of the same rows in x, bit for bit.
Features gather(const Features& x, std::span<const std::int64_t> rows, float* memory);

/// One block of features.
struct FeatureBlock {
    const Features& x;
    std::int64_t index = 0;

    Block rows() const { return x.block(index); }
};

/// Squared distance of a row to itself, whose weight is then 0: its own contribution is known without it.
inline constexpr float out_of_sight = 1e38F;

/// Squared distances between two blocks: tile[i][j] = |x_i - x_j|^2 for row i of block a and row j of block
/// b. The caller must put a row out of its own sight. Entries beyond the rows of a and b are finite numbers.
void squared_distances(const FeatureBlock& a, const FeatureBlock& b, float* tile);

/// to[j][i] = from[i][j] for whole tiles.
void transpose(const float* from, float* to);

/// @name Distances relative to the smallest in their row
/// Without its own sample, a row has no weight of 1, and at large widths all its weights would underflow.
/// Relative to the largest of them they do not: exp(-(|x_i - x_j|^2 - min_k |x_i - x_k|^2) / (2 delta)).
/// @{

/// nearest[i] = the smallest of its old value and |x_i - x_j|^2 over rows j of block b, for the rows i of
/// block a. `tile` holds their distances. Those that may be the smallest are recomputed in double.
void find_nearest(const FeatureBlock& a, const FeatureBlock& b, const float* tile, double* nearest);

/// tile[j][i] -= nearest[i] for row j of block `from` and row i of block `to`, recomputed in double where the
/// difference would have too few digits. Entries that are out of sight stay there.
void take_off_nearest(const FeatureBlock& from, const FeatureBlock& to, const double* nearest, float* tile);
/// @}

}  // namespace deepfreq::spectrum
