#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/low_frequency_ratio.h"

// LFR of all samples, estimated from some of them: of each sampled row, the energy that the filter leaves is
// measured against all samples, and it alone is what sampling may get wrong.

namespace deepfreq {

/// `count` of the rows 0 … n-1, ascending: a simple random sample without replacement, the same for the same
/// seed. All of them if there are no more.
std::vector<std::int64_t> random_rows(std::int64_t n, std::int64_t count, std::uint64_t seed);

/// What listed rows give to LFR at K widths.
struct RowEnergies {
    std::vector<double> filtered;  ///< [rows][K]: |y_low_i|^2
    std::vector<double> whole;     ///< [rows]: |y_i|^2
};

/// Of targets [n,c]. Throws what GaussianLowFrequencyRowEnergies throws.
RowEnergies row_energies(SpectrumBackend& backend, ConstTensor features, ConstTensor targets,
                         std::span<const double> inv_delta, std::span<const std::int64_t> rows,
                         const LowFrequencyParams& params = {});
/// Of targets far from 0.
RowEnergies row_energies(SpectrumBackend& backend, ConstTensor features, const CentredTargets& targets,
                         std::span<const double> inv_delta, std::span<const std::int64_t> rows,
                         const LowFrequencyParams& params = {});

/// LFR(1/delta) as a sample estimates it.
struct SampledRatio {
    FrequencyCurve lfr;
    /// Standard error of each value, and of each slope between two neighbours (RDF).
    std::vector<double> lfr_error = {}, slope_error = {};
};

/// From the energies of a simple random sample of n rows, as many as `whole` has: the ratio of their sums,
/// with the standard error of ratio estimation (Cochran, Sampling Techniques, 1977, section 6.4), 0 where the
/// sample is all of them and NaN for a single row. In the middle of the rise an error of twice that is as
/// rare as it should be; where LFR is within a percent of its floor or of 1, a few rows make the difference,
/// and a sample without them finds its error too small. Throws InputError where all sampled targets are 0.
SampledRatio estimate_ratio(std::span<const double> inv_delta, const RowEnergies& energies, std::int64_t n);

}  // namespace deepfreq
