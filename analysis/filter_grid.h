#pragma once

#include <cmath>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace deepfreq {

/// n widths from lo to hi, both included, evenly spaced; n >= 2, lo < hi.
std::vector<double> even_widths(double lo, double hi, int n);

/// The same with evenly spaced logarithms; lo > 0.
std::vector<double> log_widths(double lo, double hi, int n);

/// The requested grid of 1/delta.
struct FilterGridRequest {
    enum class Spacing { Auto, Even, Log, Listed };
    static constexpr int max_count = 100000;

    Spacing spacing = Spacing::Auto;
    double lo = 0.0, hi = 0.0;  ///< 1/delta; unused with Auto, as is count
    int count = 0;
    std::vector<double> listed = {};  ///< with Listed, ascending

    /// "auto", "authors-mnist" or "authors-cifar10" (the grids of the paper's programs), "LO:HI:N" or
    /// "log:LO:HI:N" with 0 <= LO < HI (0 < LO with log) and 2 <= N <= max_count. Throws InputError for
    /// anything else.
    static FilterGridRequest parse(std::string_view text);

    /// The requested widths. Not for Auto, which depends on the curves: see covering_grid.
    std::vector<double> inv_deltas() const;
};

/// @name The automatic grid
/// measure_extent looks at each curve on a coarse logarithmic grid; covering_grid makes one evenly spaced
/// grid for all of them. If the former has seen only a sample of the rows, the latter leaves a margin, and
/// shows_rise tells afterwards whether that was enough.
/// @{

/// Where one LFR curve rises.
struct CurveExtent {
    double floor = 0.0;    ///< LFR at 1/delta = 0: the energy of the targets' mean
    double ceiling = 0.0;  ///< largest value of LFR; with exclude_self it is not 1, and LFR falls beyond it
    double top = 0.0;      ///< 1/delta of the ceiling
    double last = 0.0;     ///< the largest 1/delta measured
    /// The measured widths just outside the rise, on either side of it: up to `low`, LFR is within 1 % of the
    /// rise of its floor; at `high`, it has reached 99 % of the rise.
    double low = std::numeric_limits<double>::quiet_NaN();
    double high = std::numeric_limits<double>::quiet_NaN();
    /// 1/delta where RDF is largest, to within about 15 %. If RDF only falls from 0 on (no inner peak), where
    /// it has fallen to half.
    double peak = std::numeric_limits<double>::quiet_NaN();

    /// False if LFR is constant (all features or all targets are equal): then low, high and peak are NaN.
    bool rises() const { return std::isfinite(low); }
};

/// LFR of one curve at the given widths (ascending).
using LfrFunction = std::function<std::vector<double>(std::span<const double>)>;

/// Finds floor, rise and peak of one curve, with 8 widths per decade.
/// `mean_squared_distance` of the features says where to begin: 2 sum_of_squares / n is good enough (exact
/// for centred columns). The first call of lfr requests 49 widths: 0, five decades around the inverse of that
/// distance, and single widths every three decades beyond, from 10^-10.5 to 10^15.5 times the inverse. A
/// second call fills in what these show to be missing. Only curves with exclude_self and several humps need a
/// third. A curve that rises by less than `smallest_rise` counts as constant: 1 % of that is no more than the
/// accuracy of lfr, by default the kernel's 1e-5. Throws InputError when the rise does not lie inside those
/// 26 decades.
CurveExtent measure_extent(const LfrFunction& lfr, double mean_squared_distance, double smallest_rise = 1e-3);

struct CoveringGrid {
    static constexpr int min_count = 100;
    /// Layers of a network need a few hundred. A function of one variable may need more than this: the LFR of
    /// a sine reaches 99 % of its rise only at some 200 times its peak.
    static constexpr int max_count = 4000;

    std::vector<double> inv_delta;  ///< ascending
    std::string note;               ///< for the log: empty, or why the widths are not evenly spaced
};

/// The factor by which extents found from a sample are widened on either side: one step of measure_extent's
/// grid.
inline constexpr double sampling_margin = 1.34;

/// Evenly spaced widths from the smallest `low` to the largest `high` of the curves that rise; at least
/// min_count of them, with no step wider than 4 % of the smallest peak. If that takes more than max_count
/// widths, because curves rise decades apart or over many decades, the grid is that of log_covering_grid, and
/// `note` says so. The range is extended by a factor of `margin` on either side. Throws InputError when no
/// curve rises.
CoveringGrid covering_grid(std::span<const CurveExtent> curves, double margin = 1.0,
                           int max_count = CoveringGrid::max_count);

/// The same range with evenly spaced logarithms: at least min_count widths, each at most 3 % above the
/// previous one. Throws likewise.
CoveringGrid log_covering_grid(std::span<const CurveExtent> curves, double margin = 1.0);

/// Whether a grid, on which the curve has the values `lfr`, shows the curve's rise from `floor` to `ceiling`:
/// all of it except 2 % at either end, with steps of at most 5 % of `peak` around the peak.
bool shows_rise(std::span<const double> inv_delta, std::span<const double> lfr, double floor, double ceiling,
                double peak);
/// @}

}  // namespace deepfreq
