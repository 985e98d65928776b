#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "kernels/ops/reductions.h"

namespace deepfreq {

/// Where the sums over pairs are taken: at each requested 1/delta, or at a few nodes from which the sums at
/// all of them follow (kernels/filter_nodes.h). Auto: at nodes if that is cheaper.
enum class FilterSums { Auto, AtNodes, AtWidths };

/// Options of GaussianLowFrequencyEnergy.
struct LowFrequencyParams {
    bool exclude_self = false;  ///< leave i = j out of both sums of eq. 4
    FilterSums sums = FilterSums::Auto;
    ColumnScale scale = {};
    /// Called many times per second, from any thread. If it returns true, the measurement throws Interrupted.
    std::function<bool()> stop = {};
    /// Called now and then, from the calling thread, with the share of the measurement that is done:
    /// ascending, 1 at the end. It must not throw.
    std::function<void(double)> progress = {};
};

/// What both operations below expect of their samples and of 1/delta. The samples are also checked to be
/// finite, on the device.
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
/// All widths share one pass over the pairs; if there are many, the sums are taken at a few dozen nodes
/// (kernels/filter_nodes.h). No n x n matrix is stored. |energy / sum_i |y_i|^2 - exact| <= 1e-5, for up to
/// 10^5 columns. With params.scale, x_i are the rows scaled per column.
/// The columns of x are first centred in a copy. With exclude_self, weights are divided by the largest weight
/// of their row. This leaves the ratio unchanged, and no weight that matters underflows at any width. A row
/// with no other sample adds nothing.
struct GaussianLowFrequencyEnergy {
    using Result = std::vector<double>;

    SpectrumSamples samples;
    LowFrequencyParams params = {};

    static constexpr const char* name = "gaussian_low_frequency_energy";
    void validate() const { samples.validate(Expect(name), params.scale); }
};

/// The terms of that sum for selected rows i = rows[r], in any order:
///   energy[r K + k] = |y_low_i|^2 at inv_deltas[k].
/// The result of a row does not depend, in any bit, on which other rows are listed, on their order or on the
/// number of threads. So rows can be sampled, or measured in parts, here or on another machine of the same
/// kind. A row costs about twice its share of a measurement of all rows, where each pair serves both samples.
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
