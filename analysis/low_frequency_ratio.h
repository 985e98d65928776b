#pragma once

#include <span>
#include <vector>

#include "kernels/spectrum_backend.h"

namespace deepfreq {

/// A quantity over the filter width 1/delta, one value per width: LFR (eq. 3) or RDF (eq. 6).
struct FrequencyCurve {
    std::vector<double> inv_delta;
    std::vector<double> value;
};

/// LFR(1/delta) (eq. 3): the share of the targets' energy sum_i |y_i|^2 that passes the Gaussian filter over
/// the features, for each width in inv_delta (ascending, as GaussianLowFrequencyEnergy requires).
/// features [n,d], targets [n,c]. Throws InputError when all targets are 0, because the ratio is then
/// undefined, and for whatever the kernel rejects.
FrequencyCurve low_frequency_ratio(SpectrumBackend& backend, ConstTensor features, ConstTensor targets,
                                   std::span<const double> inv_delta, const LowFrequencyParams& params = {});

/// Targets y = z + m whose mean m is so far from 0 that float32 would keep little of z. They are stored as z
/// and as z moved along m by `step`; the energy of y follows from the energies of these two.
struct CentredTargets {
    ConstTensor centred;  ///< z [n,c]
    ConstTensor moved;    ///< z + step m / |m| [n,c]
    double mean = 0.0;    ///< |m|
    double step = 0.0;    ///< root mean square of |z_i| over i, in double from the original numbers

    /// The rise of LFR below which only rounding would be measured: 100 times the error of LFR, typically
    /// 4e-7 step / mean.
    double smallest_rise() const { return 4e-5 * step / mean; }
    /// |y_low|^2 summed over some samples, from the same sums for z and for the moved targets, using
    /// y_low = z_low + m.
    double energy(double of_centred, double of_moved, double samples) const {
        const double along_mean =  // sum_i z_low_i . m / |m|
            (of_moved - of_centred - samples * step * step) / (2.0 * step);
        return samples * mean * mean + 2.0 * mean * along_mean + of_centred;
    }
};

/// Parameters for the first (0) or second (1) of two measurements, whose progress each counts for half.
LowFrequencyParams half_of(LowFrequencyParams params, int half);

/// The same for centred targets. Costs two measurements.
FrequencyCurve low_frequency_ratio(SpectrumBackend& backend, ConstTensor features,
                                   const CentredTargets& targets, std::span<const double> inv_delta,
                                   const LowFrequencyParams& params = {});

/// RDF = d LFR / d(1/delta) (eq. 6): the slopes between consecutive points of lfr, at their midpoints; one
/// value fewer than lfr has. Throws InputError unless there are at least two widths, strictly ascending.
FrequencyCurve ratio_density(const FrequencyCurve& lfr);

/// Where a function's power lies, as one line of peaks.csv. Whatever the curve does not show is NaN.
struct Peak {
    double inv_delta;  ///< where RDF is largest
    double rdf;        ///< its value there
    /// 1/delta at which LFR first passes 10, 50 and 90 % of its rise from floor to ceiling.
    double rise10, rise50, rise90;
};

/// The peak of lfr's RDF, refined by the parabola through the top three points (not refined at either end of
/// the grid), and the points of the rise, interpolated linearly. `floor` is LFR at 1/delta = 0, `ceiling` its
/// largest value: measure_extent finds both. Everything is NaN if LFR never rises; a point of the rise is NaN
/// if the grid begins above it or ends below it. Throws as ratio_density does.
Peak find_peak(const FrequencyCurve& lfr, double floor, double ceiling);

/// The same with floor and ceiling taken from the curve itself: its first and its largest value.
Peak find_peak(const FrequencyCurve& lfr);

}  // namespace deepfreq
