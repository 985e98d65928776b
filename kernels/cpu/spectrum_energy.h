#pragma once

#include <vector>

#include "kernels/cpu/spectrum_samples.h"
#include "kernels/filter_nodes.h"

namespace deepfreq::spectrum {

/// Turns the sums of rows at the nodes into their energies at the widths.
class WidthEnergies {
  public:
    /// `targets` must outlive this object.
    WidthEnergies(const FilterNodes& nodes, const Targets& targets, bool exclude_self);

    /// |sum_j y_j G_ij|^2 and sum_j G_ij of one row, at each width: scratch space of a thread.
    struct RowSums {
        std::vector<double> square, weight;
    };
    RowSums row_sums() const;

    /// Calls add(k, |sum_j y_j G_ij|^2 / (sum_j G_ij)^2) for every width k, where i is the sorted row at
    /// position `place` in its block. `sums` are the sums of that block, laid out as in spectrum_weights.h.
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

    /// Widths that are processed together, and the range of nodes used by at least one of them.
    struct Group {
        int first_node = 0, last_node = 0;
        std::int64_t coefficients = 0;  ///< index of those of the first node
    };

    const Targets& targets_;
    int nodes_, widths_;
    bool exclude_self_;
    std::vector<Group> groups_;
    std::vector<double> coefficient_;  ///< per group: [node][widths_at_once], of its range of nodes alone
    std::vector<double> constant_;     ///< [width], padded so that the last group is full
};

}  // namespace deepfreq::spectrum
