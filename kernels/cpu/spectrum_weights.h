#pragma once

#include <span>
#include <vector>

#include "kernels/cpu/spectrum_samples.h"
#include "kernels/cpu/spectrum_vector.h"

namespace deepfreq::spectrum {

/// The grid of filter widths, as the exponents want it: weight k of a pair is exp(-distance * half[k]).
struct Widths {
    std::vector<float> half;  ///< 1 / (2 delta)
    bool even = false;        ///< evenly spaced, `half_step` apart
    float half_step = 0.0F;

    /// 1/delta belongs to distances times unit^2.
    Widths(std::span<const double> inv_delta, double unit);
};

/// Widths first … first+count-1: those of one pass over the pairs.
struct WidthRange {
    int first, count;
};

/// Adds to the sums of every row of one block what the rows of another block give it.
/// tile[j][i] is the squared distance of row i of the block that receives to row j of block `from`.
/// sums[s][i / lanes][k][i % lanes]: sum over j of G_ij (one-hot: over the j of class s; else: times y_js).
void add_weighted_sums(const float* tile, int receiving_rows, const Block& from, const Targets& targets,
                       const Widths& widths, const WidthRange& range, double* sums);

/// to[j][i] = from[i][j] for whole tiles.
void transpose(const float* from, float* to);

}  // namespace deepfreq::spectrum
