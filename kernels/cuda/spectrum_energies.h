#pragma once

#include "kernels/cuda/spectrum_tile.h"
#include "kernels/filter_nodes.h"
#include "kernels/math.h"

// From sums of weights at nodes to energies at widths.

namespace deepfreq::cuda::spectrum {

/// sums[row block][class][line] = the sums of all its segments, in place of sums[row block][segment][line]. They
/// overwrite the first slots: each class occurs, so it is at most the index of its first segment. A line is a
/// target, node and row of the block.
struct SumsOfClasses {
    const Segment* segments;
    std::int64_t all_segments;
    std::int64_t lines;
    math::CompensatedSum* sums;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        math::CompensatedSum* const first = sums + i / lines * all_segments * lines + i % lines;
        double sum = 0.0;
        for (std::int64_t s = 0; s < all_segments; ++s) {
            sum += math::value_of(first[s * lines]);
            if (s + 1 < all_segments && segments[s + 1].label == segments[s].label) continue;
            const auto high = static_cast<float>(sum);
            first[segments[s].label * lines] = {high, static_cast<float>(sum - static_cast<double>(high))};
            sum = 0.0;
        }
    }
};

/// energy[i] of one row and width = |sum_j y_j G_ij|^2 / (sum_j G_ij)^2, or 0 if all its weights are 0;
/// i = (row block * widths + width) * 128 + row of the block.
struct RowEnergies {
    const math::CompensatedSum* sums;  ///< as computed by SumsOfClasses
    std::int64_t slots;                ///< per row block
    const std::int64_t* starts;        ///< of each class, followed by the number of samples
    int classes;
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
            sums + (row_block * slots * targets * nodes + at.first) * tile_rows + in_block;
        energy[i] =
            one_hot ? of_classes(first, at, x.sample_of(row)) : of_targets(first, at, x.sample_of(row));
    }

  private:
    /// Of one class, at the width.
    DEEPFREQ_HOST_DEVICE double sum_of(const math::CompensatedSum* first, const FilterNodes::Width& at,
                                       std::int64_t of_class, int target) const {
        const math::CompensatedSum* const at_node = first + (of_class * targets + target) * nodes * tile_rows;
        double sum = 0.0;
        for (int m = 0; m < at.count; ++m)
            sum += coefficient[at.coefficients + m] * math::value_of(at_node[m * tile_rows]);
        return sum;
    }

    /// What the sums over the others lack: the row's own term (weight 1, or left out) and that of the
    /// constant.
    DEEPFREQ_HOST_DEVICE double rest(const FilterNodes::Width& at, double own, double total) const {
        return (exclude_self ? 0.0 : own) + at.constant * (total - own);
    }

    DEEPFREQ_HOST_DEVICE double of_classes(const math::CompensatedSum* first, const FilterNodes::Width& at,
                                           std::int64_t sample) const {
        double squares = 0.0, weight = 0.0;
        for (int k = 0; k < classes; ++k) {
            const double own = sample >= starts[k] && sample < starts[k + 1] ? 1.0 : 0.0;
            const double of_class =
                sum_of(first, at, k, 0) + rest(at, own, static_cast<double>(starts[k + 1] - starts[k]));
            squares += of_class * of_class;
            weight += of_class;
        }
        return weight > 0.0 ? squares / (weight * weight) : 0.0;
    }

    /// The last target is the 1 that sums the weights.
    DEEPFREQ_HOST_DEVICE double of_targets(const math::CompensatedSum* first, const FilterNodes::Width& at,
                                           std::int64_t sample) const {
        double squares = 0.0, sum = 0.0;
        for (int target = 0; target < targets; ++target) {
            sum = sum_of(first, at, 0, target) + rest(at, static_cast<double>(y[sample * targets + target]),
                                                      mean[target] * static_cast<double>(x.columns.n));
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
