#pragma once

#include <span>

#include "kernels/cpu/spectrum_samples.h"
#include "kernels/cpu/spectrum_vector.h"
#include "kernels/filter_nodes.h"

namespace deepfreq::spectrum {

/// The weights of a pair, in chains; `count` weights in all.
struct Nodes {
    std::span<const WeightChain> chains;
    int count;
};

/// @name Sums of a block's rows
/// sums[s][row][m]: sum of G_ij at node m over samples j. For one-hot targets, over the j of class s;
/// otherwise over all j, times y_js.
/// @{

/// One-hot targets. tile[i][j] is the squared distance of row i of block `of_rows` to row j of block
/// `of_lanes`. Adds each block's contribution to the sums of the other, or only to those of the lanes if
/// to_rows is null.
void add_by_class(const float* tile, const Block& of_rows, const Block& of_lanes, const Targets& targets,
                  const Nodes& nodes, double* to_rows, double* to_lanes);

/// Any targets. tile[j][i] is the squared distance of row j of block `from` to row i of the receiving block.
void add_by_column(const float* tile, const Block& from, int receiving_rows, const Targets& targets,
                   const Nodes& nodes, double* sums);

/// Adds what the rows of block `from` give to the receiving rows, by whichever of the two suits the targets.
inline void add_one_way(const float* tile, const Block& from, int receiving_rows, const Targets& targets,
                        const Nodes& nodes, double* sums) {
    if (targets.one_hot)
        add_by_class(tile, from, {0, receiving_rows}, targets, nodes, nullptr, sums);
    else
        add_by_column(tile, from, receiving_rows, targets, nodes, sums);
}
/// @}

}  // namespace deepfreq::spectrum
