#include "analysis/filter_grid.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <iterator>
#include <map>
#include <system_error>

#include "analysis/low_frequency_ratio.h"
#include "common/error.h"

namespace deepfreq {
namespace {

/// Parses all of `text` as a number; false for anything else, including a number too large for T.
template <class T>
bool read_number(std::string_view text, T& number) {
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && rest == text.data() + text.size();
}

std::vector<std::string_view> split_at_colons(std::string_view text) {
    std::vector<std::string_view> parts;
    for (std::size_t colon = text.find(':'); colon != std::string_view::npos; colon = text.find(':')) {
        parts.push_back(text.substr(0, colon));
        text.remove_prefix(colon + 1);
    }
    parts.push_back(text);
    return parts;
}

/// On the coarse grid 1/delta is 10^(k/8) / mean squared distance for integer k. The first call measures the
/// core, where the rise nearly always is, and probes outside it.
constexpr int widths_per_decade = 8;
constexpr int first_width = -84, core_begin = -12, core_end = 28, last_width = 124;
constexpr int probe_spacing = 24;  ///< with exclude_self LFR rises and falls again within three decades

constexpr double edge = 0.01;         ///< share of the rise left outside at either end
constexpr double widest_step = 0.03;  ///< of the coarse peak, accurate to 15 %: 4 % of the true one

/// What is known of one curve so far.
class CoarseCurve {
  public:
    CoarseCurve(const LfrFunction& lfr, double scale, double smallest_rise)
        : lfr_(lfr), scale_(scale), smallest_rise_(smallest_rise) {
        std::vector<int> inv_deltas;
        for (int k = first_width; k < core_begin; k += probe_spacing) inv_deltas.push_back(k);
        for (int k = core_begin; k < core_end; ++k) inv_deltas.push_back(k);
        for (int k = core_end; k <= last_width; k += probe_spacing) inv_deltas.push_back(k);
        measure(inv_deltas, true);
    }

    /// Measures the widths still missing where the curve rises; false if none were missing.
    bool fill_gaps() {
        if (constant()) return false;
        const auto [begin, end] = rise();
        std::vector<int> missing;
        for (int k = std::max(begin - 1, first_width); k < end; ++k)
            if (!values_.contains(k)) missing.push_back(k);
        // A hump whose top may lie between its highest point so far and the next point.
        const auto top = highest();
        if (const auto next = std::next(top);
            next != values_.end() && next->second < top->second - edge * height())
            for (int k = std::max(end, top->first) + 1; k < next->first; ++k) missing.push_back(k);
        if (missing.empty()) return false;
        measure(missing, false);
        return true;
    }

    CurveExtent extent() const {
        CurveExtent extent{.floor = floor_,
                           .ceiling = highest()->second,
                           .top = width(highest()->first),
                           .last = width(last_width)};
        if (constant()) return extent;
        const auto [begin, end] = rise();
        extent.low = width(begin);
        extent.high = width(end);
        extent.peak = peak(begin - 1, end);
        return extent;
    }

  private:
    using Point = std::map<int, double>::const_iterator;
    struct Range {
        int begin, end;
    };

    double width(int k) const { return scale_ * std::pow(10.0, static_cast<double>(k) / widths_per_decade); }
    Point highest() const {
        return std::ranges::max_element(values_, {}, [](const auto& point) { return point.second; });
    }
    double height() const { return highest()->second - floor_; }
    bool constant() const { return !(height() >= smallest_rise_); }

    void measure(const std::vector<int>& inv_deltas, bool with_floor) {
        std::vector<double> inv_delta(with_floor ? 1 : 0, 0.0);
        for (const int k : inv_deltas) inv_delta.push_back(width(k));
        const std::vector<double> lfr = lfr_(inv_delta);
        auto value = lfr.begin();
        if (with_floor) floor_ = *value++;
        for (const int k : inv_deltas) values_[k] = *value++;
    }

    /// The measured widths just outside the rise. If LFR first dips below its floor, the dip counts
    /// as part of the rise.
    Range rise() const {
        const auto left = std::ranges::find_if(
            values_, [&](const auto& point) { return std::abs(point.second - floor_) > edge * height(); });
        const auto arrived = std::ranges::find_if(
            values_, [&](const auto& point) { return point.second >= floor_ + (1.0 - edge) * height(); });
        if (left == values_.begin() || arrived->first == last_width)
            throw InputError(
                "LFR rises outside 1/delta = {:.3g} to {:.3g}, where the automatic grid looks for it; "
                "expected features of one scale, or a grid fixed as LO:HI:N",
                width(first_width), width(last_width));
        return {std::prev(left)->first, arrived->first};
    }

    /// Where RDF is largest; if it is largest at its start, where it has fallen to half.
    double peak(int begin, int end) const {
        FrequencyCurve lfr;
        for (auto point = values_.lower_bound(begin); point != values_.end() && point->first <= end;
             ++point) {
            lfr.inv_delta.push_back(width(point->first));
            lfr.value.push_back(point->second);
        }
        const FrequencyCurve rdf = ratio_density(lfr);
        const double largest = std::ranges::max(rdf.value);
        if (rdf.value.front() < 0.98 * largest) return find_peak(lfr).inv_delta;
        const auto fallen =
            std::ranges::find_if(rdf.value, [&](double value) { return value < largest / 2.0; });
        return rdf.inv_delta[static_cast<std::size_t>(fallen - rdf.value.begin()) - 1];
    }

    const LfrFunction& lfr_;
    double scale_;
    double smallest_rise_;  ///< height above which a curve is not constant
    double floor_ = 0.0;
    std::map<int, double> values_;  ///< LFR by k
};

/// The range that a grid for these curves has to cover.
struct CommonRange {
    double low = std::numeric_limits<double>::infinity(), high = 0.0;
    double peak = low;  ///< the smallest of the curves' peaks
};

CommonRange range_of(std::span<const CurveExtent> curves, double margin) {
    CommonRange range;
    for (const CurveExtent& curve : curves) {
        if (!curve.rises()) continue;
        range.low = std::min(range.low, curve.low);
        range.high = std::max(range.high, curve.high);
        range.peak = std::min(range.peak, curve.peak);
    }
    if (!(range.low < range.high))
        throw InputError(
            "LFR is constant over 1/delta for all {} curves, so that no grid can be chosen; expected "
            "features that differ from sample to sample, or a grid fixed as LO:HI:N",
            curves.size());
    range.low /= margin;
    range.high *= margin;
    return range;
}

/// A range of delta in even steps.
struct DeltaRange {
    double first, last, step;
};

/// 1/delta over these ranges, ascending.
std::vector<double> inverse_deltas(std::initializer_list<DeltaRange> ranges) {
    std::vector<double> inv_deltas;
    for (const auto& [first, last, step] : ranges)
        for (int k = 0, count = static_cast<int>(std::lround((last - first) / step)); k <= count; ++k)
            inv_deltas.push_back(1.0 / (first + k * step));
    std::ranges::reverse(inv_deltas);
    return inv_deltas;
}

// The grids of delta in the programs of Xu & Zhou (github.com/Johnzhx/DeepFrequencyPrinciple).
std::vector<double> authors_mnist_widths() {
    return inverse_deltas({{0.1, 1.0, 0.1}, {1.5, 10.0, 0.5}, {11.0, 20.0, 1.0}, {22.0, 30.0, 2.0}});
}
std::vector<double> authors_cifar10_widths() {
    return inverse_deltas({{0.02, 0.06, 0.01},
                           {0.08, 0.1, 0.01},
                           {0.15, 0.5, 0.05},
                           {0.6, 1.0, 0.1},
                           {1.2, 2.0, 0.2},
                           {3.0, 20.0, 1.0},
                           {22.0, 30.0, 2.0},
                           {35.0, 50.0, 5.0}});
}

}  // namespace

std::vector<double> even_widths(double lo, double hi, int n) {
    std::vector<double> inv_deltas(static_cast<std::size_t>(n));
    for (int k = 0; k < n; ++k) inv_deltas[static_cast<std::size_t>(k)] = std::lerp(lo, hi, k / (n - 1.0));
    return inv_deltas;
}

std::vector<double> log_widths(double lo, double hi, int n) {
    std::vector<double> inv_deltas = even_widths(std::log(lo), std::log(hi), n);
    for (double& width : inv_deltas) width = std::exp(width);
    inv_deltas.front() = lo;
    inv_deltas.back() = hi;
    return inv_deltas;
}

FilterGridRequest FilterGridRequest::parse(std::string_view text) {
    if (text == "auto") return {};
    if (text == "authors-mnist") return {.spacing = Spacing::Listed, .listed = authors_mnist_widths()};
    if (text == "authors-cifar10") return {.spacing = Spacing::Listed, .listed = authors_cifar10_widths()};
    const auto refuse = [&](std::string_view why) {
        return InputError(
            "the grid of 1/delta '{}': {}; expected auto, authors, LO:HI:N or log:LO:HI:N with 0 <= LO < HI "
            "(0 < LO with log) and N from 2 to {}",
            text, why, max_count);
    };
    auto parts = split_at_colons(text);
    FilterGridRequest request{.spacing = parts[0] == "log" ? Spacing::Log : Spacing::Even};
    if (request.spacing == Spacing::Log) parts.erase(parts.begin());
    if (parts.size() != 3) throw refuse("there are not three numbers");
    for (const auto& [part, number] : {std::pair{parts[0], &request.lo}, std::pair{parts[1], &request.hi}})
        if (!read_number(part, *number) || !std::isfinite(*number))
            throw refuse(fmt::format("'{}' is not a finite number", part));
    if (!read_number(parts[2], request.count) || request.count < 2 || request.count > max_count)
        throw refuse(fmt::format("N is '{}'", parts[2]));
    if (request.lo < 0.0) throw refuse("LO is negative");
    if (request.spacing == Spacing::Log && request.lo == 0.0) throw refuse("LO is 0");
    if (request.lo >= request.hi) throw refuse("LO is not below HI");
    const std::vector<double> inv_deltas = request.inv_deltas();
    if (std::ranges::adjacent_find(inv_deltas, std::greater_equal{}) != inv_deltas.end())
        throw refuse("LO and HI are too close for so many widths");
    return request;
}

std::vector<double> FilterGridRequest::inv_deltas() const {
    if (spacing == Spacing::Auto)
        throw InputError("the automatic grid of 1/delta depends on the curves it is to cover");
    if (spacing == Spacing::Listed) return listed;
    return spacing == Spacing::Log ? log_widths(lo, hi, count) : even_widths(lo, hi, count);
}

CurveExtent measure_extent(const LfrFunction& lfr, double mean_squared_distance, double smallest_rise) {
    // Features that are all 0 have no scale; their curve is constant on any grid.
    CoarseCurve curve(lfr, mean_squared_distance > 0.0 ? 1.0 / mean_squared_distance : 1.0, smallest_rise);
    while (curve.fill_gaps()) {
    }
    return curve.extent();
}

CoveringGrid covering_grid(std::span<const CurveExtent> curves, double margin, int max_count) {
    const auto [low, high, peak] = range_of(curves, margin);
    const double needed = std::ceil((high - low) / (widest_step * peak)) + 1.0;
    if (needed > max_count) {
        CoveringGrid grid = log_covering_grid(curves, margin);
        grid.note = fmt::format(
            "LFR rises from 1/delta = {:.3g} to {:.3g}: the {} widths there are spaced logarithmically. "
            "Evenly spaced, it would take {:.3g} to resolve the smallest peak, at {:.3g}; LO:HI:N fixes "
            "another grid",
            low, high, grid.inv_delta.size(), needed, peak);
        return grid;
    }
    return {even_widths(low, high, std::max(static_cast<int>(needed), CoveringGrid::min_count)), ""};
}

CoveringGrid log_covering_grid(std::span<const CurveExtent> curves, double margin) {
    const auto [low, high, peak] = range_of(curves, margin);
    const double needed = std::ceil(std::log(high / low) / std::log1p(widest_step)) + 1.0;
    const int count = std::max(static_cast<int>(needed), CoveringGrid::min_count);
    return {log_widths(low, high, count), ""};
}

bool shows_rise(std::span<const double> inv_delta, std::span<const double> lfr, double floor, double ceiling,
                double peak) {
    constexpr double allowed = 2.0 * edge, coarsest_step = 0.05;
    const double height = ceiling - floor;
    if (std::abs(lfr.front() - floor) > allowed * height) return false;
    if (std::ranges::max(lfr) < floor + (1.0 - allowed) * height) return false;
    const auto above = std::ranges::upper_bound(inv_delta, peak);  // a NaN peak (no peak) gives the end
    if (above == inv_delta.begin() || above == inv_delta.end()) return true;
    return *above - *std::prev(above) <= coarsest_step * peak;
}

}  // namespace deepfreq
