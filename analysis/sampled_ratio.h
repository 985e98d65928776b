#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/low_frequency_ratio.h"

// LFR of all samples, estimated from some of them. For each sampled row, the energy that passes the filter is
// measured against all samples; only the choice of the rows adds a sampling error.

namespace deepfreq {

/// `count` of the rows 0 … n-1, ascending: a simple random sample without replacement, the same for the same
/// seed. All rows if there are no more than `count`.
std::vector<std::int64_t> random_rows(std::int64_t n, std::int64_t count, std::uint64_t seed);

/// What the listed rows contribute to LFR at K widths.
struct RowEnergies {
    std::vector<double> filtered;  ///< [rows][K]: |y_low_i|^2
    std::vector<double> whole;     ///< [rows]: |y_i|^2
};

/// For targets [n,c]. Throws what GaussianLowFrequencyRowEnergies throws.
RowEnergies row_energies(SpectrumBackend& backend, ConstTensor features, ConstTensor targets,
                         std::span<const double> inv_delta, std::span<const std::int64_t> rows,
                         const LowFrequencyParams& params = {});
/// For targets far from 0.
RowEnergies row_energies(SpectrumBackend& backend, ConstTensor features, const CentredTargets& targets,
                         std::span<const double> inv_delta, std::span<const std::int64_t> rows,
                         const LowFrequencyParams& params = {});

/// LFR(1/delta) estimated from a sample.
struct SampledRatio {
    FrequencyCurve lfr;
    /// Standard error of each value, and of each slope between two neighbours (RDF).
    std::vector<double> lfr_error = {}, slope_error = {};
};

/// Estimates LFR from a simple random sample of the n rows, whose size is that of `whole`: the ratio of the
/// sums, with the standard error of ratio estimation (Cochran, Sampling Techniques, 1977, section 6.4), which
/// is 0 if all rows are sampled and NaN for a single row. In the middle of the rise, errors of twice that are
/// as rare as they should be. Where LFR is within 1 % of its floor or of 1, a few rows make the difference,
/// and a sample without them underestimates its error. Throws InputError if all sampled targets are 0.
SampledRatio estimate_ratio(std::span<const double> inv_delta, const RowEnergies& energies, std::int64_t n);

}  // namespace deepfreq
