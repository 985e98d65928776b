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

    /// |sum_j y_j G_ij|^2 and sum_j G_ij of one row, at each width: what a thread works in.
    struct RowSums {
        std::vector<double> square, weight;
    };
    RowSums row_sums() const;

    /// add(k, |sum_j y_j G_ij|^2 / (sum_j G_ij)^2) for every width k, of the sorted row i that is the
    /// `place`th of its block. `sums` are those of the block, as spectrum_weights.h has them.
    template <class Add>
    void of_row(std::int64_t row, int place, const double* sums, RowSums& room, Add add) const {
        sum_row(row, place, sums, room);
        for (int k = 0; k < widths_; ++k) {
            const auto at = static_cast<std::size_t>(k);
            const double weight = room.weight[at];
            add(k, weight > 0.0 ? room.square[at] / (weight * weight) : 0.0);
        }
    }

  private:
    void sum_row(std::int64_t row, int place, const double* sums, RowSums& room) const;
    template <int Sums>
    void add_sums(std::int64_t row, int s, const double* at_node, RowSums& room) const;

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
