#pragma once

#include <span>
#include <vector>

#include "kernels/spectrum_backend.h"

namespace deepfreq {

/// A quantity over the filter width 1/delta, as many values as widths: LFR (eq. 3) or RDF (eq. 6).
struct FrequencyCurve {
    std::vector<double> inv_delta;
    std::vector<double> value;
};

/// LFR(1/delta) (eq. 3): the share of the targets' energy sum_i |y_i|^2 that the Gaussian filter over the
/// features leaves, for each width of inv_delta (ascending, as
/// GaussianLowFrequencyEnergy wants it). features [n,d], targets [n,c]. Throws
/// InputError when all targets are 0, because the ratio is undefined then, and whatever the kernel refuses.
FrequencyCurve low_frequency_ratio(SpectrumBackend& backend, ConstTensor features, ConstTensor targets,
                                   std::span<const double> inv_delta, const LowFrequencyParams& params = {});

/// Targets y = z + m whose mean m is so far from 0 that in float32 little would be left of the rest: as z,
/// and as z moved along m by `step`, from whose two energies that of y follows.
struct CentredTargets {
    ConstTensor centred;  ///< z [n,c]
    ConstTensor moved;    ///< z + step m / |m| [n,c]
    double mean = 0.0;    ///< |m|
    double step = 0.0;    ///< root of the mean over i of |z_i|^2, in double from the original numbers

    /// What LFR must rise by to be measured rather than rounding: 100 times its error, typically
    /// 4e-7 step / mean.
    double smallest_rise() const { return 4e-5 * step / mean; }
    /// |y_low|^2, summed over some samples, from that of z and that of the moved: with y_low = z_low + m.
    double energy(double of_centred, double of_moved, double samples) const {
        const double along_mean =  // sum_i z_low_i . m / |m|
            (of_moved - of_centred - samples * step * step) / (2.0 * step);
        return samples * mean * mean + 2.0 * mean * along_mean + of_centred;
    }
};

/// What one half, 0 or 1, of two measurements tells of progress is half of it.
LowFrequencyParams half_of(LowFrequencyParams params, int half);

/// The same of such targets. Costs two measurements.
FrequencyCurve low_frequency_ratio(SpectrumBackend& backend, ConstTensor features,
                                   const CentredTargets& targets, std::span<const double> inv_delta,
                                   const LowFrequencyParams& params = {});

/// RDF = d LFR / d(1/delta) (eq. 6): the slope between consecutive points of lfr, at their midpoints; one
/// value fewer than lfr has. Throws InputError unless there are two widths or more, strictly ascending.
FrequencyCurve ratio_density(const FrequencyCurve& lfr);

/// Where a function's power is, in one line of peaks.csv. Whatever the curve does not show is NaN.
struct Peak {
    double inv_delta;  ///< where RDF is largest
    double rdf;        ///< its value there
    /// 1/delta at which LFR first passes 10, 50 and 90 % of its rise from floor to ceiling.
    double rise10, rise50, rise90;
};

/// The peak of lfr's RDF, refined by the parabola through the top three points (at either end of the grid
/// left as it is), and the points of the rise, interpolated linearly. `floor` is LFR at 1/delta = 0,
/// `ceiling` its largest value: measure_extent finds both. NaN: all, where LFR never rises; a point of the
/// rise, where the grid begins above it or ends below it. Throws as ratio_density does.
Peak find_peak(const FrequencyCurve& lfr, double floor, double ceiling);

/// The same with what the curve itself shows: its first value as floor and its largest as ceiling.
Peak find_peak(const FrequencyCurve& lfr);

}  // namespace deepfreq
