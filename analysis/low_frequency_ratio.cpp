#include "analysis/low_frequency_ratio.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/error.h"

namespace deepfreq {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct Point {
    double x, y;
};

/// Top of the parabola through three points of ascending x, the middle one being the highest. It uses
/// Newton's divided differences, since the points need not be evenly spaced.
Point parabola_top(Point a, Point b, Point c) {
    const double slope_ab = (b.y - a.y) / (b.x - a.x);
    const double slope_bc = (c.y - b.y) / (c.x - b.x);
    const double curvature = (slope_bc - slope_ab) / (c.x - a.x);
    if (!(curvature < 0.0)) return b;  // three equal values
    const double x = (a.x + b.x) / 2.0 - slope_ab / (2.0 * curvature);
    return {x, b.y + (x - b.x) * (slope_ab + curvature * (x - a.x))};
}

Point density_peak(const FrequencyCurve& rdf) {
    const auto point = [&](std::size_t i) { return Point{rdf.inv_delta[i], rdf.value[i]}; };
    const auto top = static_cast<std::size_t>(std::ranges::max_element(rdf.value) - rdf.value.begin());
    if (!(rdf.value[top] > 0.0)) return {nan, nan};
    if (top == 0 || top + 1 == rdf.value.size()) return point(top);
    return parabola_top(point(top - 1), point(top), point(top + 1));
}

/// Where the curve first crosses `level` from below, or NaN.
double first_crossing(const FrequencyCurve& lfr, double level) {
    const auto above = std::ranges::find_if(lfr.value, [&](double value) { return value >= level; });
    if (above == lfr.value.end()) return nan;
    const auto i = static_cast<std::size_t>(above - lfr.value.begin());
    if (i == 0) return lfr.value[0] == level ? lfr.inv_delta[0] : nan;
    const double share = (level - lfr.value[i - 1]) / (lfr.value[i] - lfr.value[i - 1]);
    return std::lerp(lfr.inv_delta[i - 1], lfr.inv_delta[i], share);
}

}  // namespace

LowFrequencyParams half_of(LowFrequencyParams params, int half) {
    if (params.progress)
        params.progress = [told = params.progress, half](double share) { told(0.5 * (half + share)); };
    return params;
}

FrequencyCurve low_frequency_ratio(SpectrumBackend& backend, ConstTensor features, ConstTensor targets,
                                   std::span<const double> inv_delta, const LowFrequencyParams& params) {
    const double total = backend(SumOfSquares{.x = targets});
    if (total == 0.0)
        throw InputError(
            "all targets {} are 0, for which the low frequency ratio is undefined; expected at least "
            "one other number",
            targets.shape.text());
    FrequencyCurve lfr{
        {inv_delta.begin(), inv_delta.end()},
        backend(GaussianLowFrequencyEnergy{.samples = {.x = features, .y = targets, .inv_deltas = inv_delta},
                                           .params = params})};
    for (double& value : lfr.value) value /= total;
    return lfr;
}

FrequencyCurve low_frequency_ratio(SpectrumBackend& backend, ConstTensor features,
                                   const CentredTargets& targets, std::span<const double> inv_delta,
                                   const LowFrequencyParams& params) {
    const auto n = static_cast<double>(features.rows());
    const auto measured = [&](ConstTensor y, int half) {
        return backend(GaussianLowFrequencyEnergy{.samples = {.x = features, .y = y, .inv_deltas = inv_delta},
                                                  .params = half_of(params, half)});
    };
    const std::vector<double> centred = measured(targets.centred, 0);
    const std::vector<double> moved = measured(targets.moved, 1);
    const double total = n * (targets.mean * targets.mean + targets.step * targets.step);
    FrequencyCurve lfr{{inv_delta.begin(), inv_delta.end()}, {}};
    for (std::size_t k = 0; k < inv_delta.size(); ++k)
        lfr.value.push_back(targets.energy(centred[k], moved[k], n) / total);
    return lfr;
}

FrequencyCurve ratio_density(const FrequencyCurve& lfr) {
    const std::size_t points = lfr.inv_delta.size();
    if (points < 2 || lfr.value.size() != points)
        throw InputError("the ratio density needs two points or more, the curve has {} widths and {} values",
                         points, lfr.value.size());
    FrequencyCurve rdf{std::vector<double>(points - 1), std::vector<double>(points - 1)};
    for (std::size_t i = 0; i + 1 < points; ++i) {
        const double step = lfr.inv_delta[i + 1] - lfr.inv_delta[i];
        if (!(step > 0.0))
            throw InputError("the ratio density needs strictly ascending widths, found 1/delta = {} after {}",
                             lfr.inv_delta[i + 1], lfr.inv_delta[i]);
        rdf.inv_delta[i] = lfr.inv_delta[i] + step / 2.0;
        rdf.value[i] = (lfr.value[i + 1] - lfr.value[i]) / step;
    }
    return rdf;
}

Peak find_peak(const FrequencyCurve& lfr, double floor, double ceiling) {
    const Point top = density_peak(ratio_density(lfr));
    const auto rise = [&](double share) {
        return ceiling > floor ? first_crossing(lfr, std::lerp(floor, ceiling, share)) : nan;
    };
    return {top.x, top.y, rise(0.1), rise(0.5), rise(0.9)};
}

Peak find_peak(const FrequencyCurve& lfr) {
    if (lfr.value.empty())
        throw InputError("a curve without points has no peak, two points or more expected");
    return find_peak(lfr, lfr.value.front(), std::ranges::max(lfr.value));
}

}  // namespace deepfreq
