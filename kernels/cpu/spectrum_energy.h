#pragma once

#include <vector>

#include "kernels/cpu/spectrum_samples.h"
#include "kernels/filter_nodes.h"

namespace deepfreq::spectrum {

/// From the sums of rows at the nodes to their energies at the widths.
class WidthEnergies {
  public:
    /// `targets` must live as long.
    WidthEnergies(const FilterNodes& nodes, const Targets& targets, bool exclude_self);

    /// energy[k] = sum over the rows i of a block of |sum_j y_j G_ij|^2 / (sum_j G_ij)^2 at width k. `sums`
    /// are those of the block, as spectrum_weights.h has them.
    void compute(const Block& block, const double* sums, double* energy) const;

  private:
    struct RowEnergies;
    template <int Sums>
    void add_sums(std::int64_t row, int s, const double* at_node, RowEnergies& energies) const;

    /// Widths that are worked on at a time, and the nodes that one of them or more uses.
    struct Group {
        int first_node = 0, last_node = 0;
    };

    const Targets& targets_;
    int nodes_, widths_;
    bool exclude_self_;
    std::vector<Group> groups_;
    std::vector<double> coefficient_;  ///< [node][width], with widths to fill the last group
    std::vector<double> constant_;     ///< [width]
};

}  // namespace deepfreq::spectrum
