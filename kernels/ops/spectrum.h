#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "kernels/ops/reductions.h"

namespace deepfreq {

/// Where the sums over pairs are made: at the 1/delta asked for, or at a few nodes from which those at all of
/// them follow (kernels/filter_nodes.h). Auto: at nodes where that is cheaper.
enum class FilterSums { Auto, AtNodes, AtWidths };

/// Choices of GaussianLowFrequencyEnergy.
struct LowFrequencyParams {
    bool exclude_self = false;  ///< leave i = j out of both sums of eq. 4
    FilterSums sums = FilterSums::Auto;
    ColumnScale scale = {};
    /// Asked many times a second, from any thread: true ends the measurement, which throws Interrupted.
    std::function<bool()> stop = {};
    /// Told now and then, by the thread that called, which share of the measurement is done: ascending, at
    /// the end 1. It must not throw.
    std::function<void(double)> progress = {};
};

/// What both operations below expect of their samples and of 1/delta. That the samples are finite is checked
/// too, on the device.
struct SpectrumSamples {
    ConstTensor x;                            ///< [n,d], features
    ConstTensor y;                            ///< [n,c], targets
    std::span<const double> inv_deltas = {};  ///< [K], finite, >= 0 and ascending

    void validate(const Expect& expect, const ColumnScale& scale) const {
        expect.rank("x", x, 2);
        expect.rank("y", y, 2);
        expect.shape("y", y, {x.shape[0], y.shape[1]});
        scale.validate(expect, x);
        double previous = 0.0;
        for (const double inv_delta : inv_deltas) {
            if (!std::isfinite(inv_delta) || inv_delta < previous)
                throw InputError("{}: 1/delta = {} after {}, expected finite, not negative and ascending",
                                 expect.operation(), inv_delta, previous);
            previous = inv_delta;
        }
    }
};

/// Energy of the low-frequency part for a whole grid of filter widths: for every k,
///   energy[k] = sum_i |y_low_i|^2,  y_low_i = sum_j y_j G_ij / sum_j G_ij,
///   G_ij = exp(-|x_i - x_j|^2 inv_deltas[k] / 2)                                         (eqs. 3 to 5).
/// All widths share one pass over the pairs, whose sums are made at a few dozen nodes where there are many
/// (kernels/filter_nodes.h); no n x n matrix is stored. |energy / sum_i |y_i|^2 - exact| <= 1e-5, for up to
/// 10^5 columns. With params.scale, x_i are the rows scaled by column.
/// Columns of x are centred in a copy first. With exclude_self, weights are divided by the largest of their
/// row, which leaves the ratio as it is, so that none that counts underflows at any width; a row without
/// another adds nothing.
struct GaussianLowFrequencyEnergy {
    using Result = std::vector<double>;

    SpectrumSamples samples;
    LowFrequencyParams params = {};

    static constexpr const char* name = "gaussian_low_frequency_energy";
    void validate() const { samples.validate(Expect(name), params.scale); }
};

/// The terms of that sum for some rows i = rows[r], in any order:
///   energy[r K + k] = |y_low_i|^2 at inv_deltas[k].
/// What a row gets does not depend, in any bit, on which others are listed, on their order or on how many
/// threads there are. So rows can be sampled, or measured a part at a time, here or on another machine of the
/// same kind. A row costs about twice its share of all of them, whose pairs serve both samples.
struct GaussianLowFrequencyRowEnergies {
    using Result = std::vector<double>;

    SpectrumSamples samples;
    std::span<const std::int64_t> rows;  ///< each of 0 … n-1
    LowFrequencyParams params = {};

    static constexpr const char* name = "gaussian_low_frequency_row_energies";
    void validate() const {
        samples.validate(Expect(name), params.scale);
        for (const std::int64_t row : rows)
            if (row < 0 || row >= samples.x.rows())
                throw InputError("{}: row {} listed, expected 0 to {}", name, row, samples.x.rows() - 1);
    }
};

}  // namespace deepfreq
