#pragma once

#include "kernels/cuda/spectrum_tile.h"
#include "kernels/filter_nodes.h"
#include "kernels/math.h"

// From sums of weights at nodes to energies at widths.

namespace deepfreq::cuda::spectrum {

/// energy[i] of one row and width = |sum_j y_j G_ij|^2 / (sum_j G_ij)^2, or 0 if all its weights are 0;
/// i = (row block * widths + width) * 128 + row of the block.
struct RowEnergies {
    const math::CompensatedSum* sums;  ///< as computed by WeightedSums
    const Segment* segments;
    const std::int32_t* by_label;  ///< segments of the same class are adjacent
    std::int64_t all_segments;
    bool one_hot, exclude_self;
    int targets, nodes;
    const FilterNodes::Width* width;  ///< [widths]
    const double* coefficient;
    int widths;
    const float* y;      ///< [samples][targets]; unless one-hot
    const double* mean;  ///< of each target over all samples; unless one-hot
    std::int64_t first_row;
    Pairs x;
    double* energy;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        const std::int64_t in_block = i % tile_rows;
        const std::int64_t row_block = i / tile_rows / widths;
        const std::int64_t row = first_row + row_block * tile_rows + in_block;
        if (row >= x.rows.n) {
            energy[i] = 0.0;
            return;
        }
        const FilterNodes::Width at = width[i / tile_rows % widths];
        const math::CompensatedSum* const first =
            sums + (row_block * all_segments * targets * nodes + at.first) * tile_rows + in_block;
        energy[i] =
            one_hot ? of_classes(first, at, x.sample_of(row)) : of_targets(first, at, x.sample_of(row));
    }

  private:
    /// Of one segment, at the width.
    DEEPFREQ_HOST_DEVICE double sum_of(const math::CompensatedSum* first, const FilterNodes::Width& at,
                                       std::int64_t segment, int target) const {
        const math::CompensatedSum* const at_node = first + (segment * targets + target) * nodes * tile_rows;
        double sum = 0.0;
        for (int m = 0; m < at.count; ++m)
            sum += coefficient[at.coefficients + m] * (static_cast<double>(at_node[m * tile_rows].high) +
                                                       static_cast<double>(at_node[m * tile_rows].low));
        return sum;
    }

    /// What the sums over the others lack: the row's own term (weight 1, or left out) and that of the
    /// constant.
    DEEPFREQ_HOST_DEVICE double rest(const FilterNodes::Width& at, double own, double total) const {
        return (exclude_self ? 0.0 : own) + at.constant * (total - own);
    }

    /// A class may be in several segments.
    DEEPFREQ_HOST_DEVICE double of_classes(const math::CompensatedSum* first, const FilterNodes::Width& at,
                                           std::int64_t sample) const {
        double squares = 0.0, weight = 0.0;
        double of_class = 0.0, own = 0.0, members = 0.0;
        for (std::int64_t s = 0; s < all_segments; ++s) {
            const Segment& segment = segments[by_label[s]];
            of_class += sum_of(first, at, by_label[s], 0);
            own += sample >= segment.first && sample < segment.last ? 1.0 : 0.0;
            members += static_cast<double>(segment.last - segment.first);
            if (s + 1 < all_segments && segments[by_label[s + 1]].label == segment.label) continue;
            of_class += rest(at, own, members);
            squares += of_class * of_class;
            weight += of_class;
            of_class = own = members = 0.0;
        }
        return weight > 0.0 ? squares / (weight * weight) : 0.0;
    }

    /// The last target is the 1 that sums the weights.
    DEEPFREQ_HOST_DEVICE double of_targets(const math::CompensatedSum* first, const FilterNodes::Width& at,
                                           std::int64_t sample) const {
        double squares = 0.0, sum = 0.0;
        for (int target = 0; target < targets; ++target) {
            sum = rest(at, static_cast<double>(y[sample * targets + target]),
                       mean[target] * static_cast<double>(x.columns.n));
            for (std::int64_t s = 0; s < all_segments; ++s) sum += sum_of(first, at, s, target);
            if (target < targets - 1) squares += sum * sum;
        }
        return sum > 0.0 ? squares / (sum * sum) : 0.0;
    }
};

/// total[i] = sum of the 128 energies from 128 i on.
struct BlockEnergies {
    const double* energy;
    double* total;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        double sum = 0.0;
        for (int row = 0; row < tile_rows; ++row) sum += energy[i * tile_rows + row];
        total[i] = sum;
    }
};

}  // namespace deepfreq::cuda::spectrum
