#include "analysis/filter_grid.h"

#include <doctest/doctest.h>
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "analysis/low_frequency_ratio.h"
#include "common/error.h"

using namespace deepfreq;

namespace {

using Curve = std::function<double(double)>;

double logistic(double s, double power) {
    return s <= 0.0 ? 0.0 : 1.0 / (1.0 + std::pow(s, -power));
}

struct Shape1d {
    std::string name;
    Curve lfr;        ///< over s = 1/delta, at scale 1
    double rdf_peak;  ///< where its slope is largest; 0 when the slope falls from s = 0 on
};

/// Curves like those of LFR, of very different kinds.
std::vector<Shape1d> curve_shapes() {
    // The slope of 1/(1 + s^-p) is largest at ((p-1)/(p+1))^(1/p).
    const auto logistic_peak = [](double p) { return std::pow((p - 1.0) / (p + 1.0), 1.0 / p); };
    return {
        {"1 - exp(-s)", [](double s) { return 1.0 - std::exp(-s); }, 0.0},
        {"exp(-1/s), a sine", [](double s) { return s > 0.0 ? std::exp(-1.0 / s) : 0.0; }, 0.5},
        {"gentle logistic", [](double s) { return logistic(s, 1.5); }, logistic_peak(1.5)},
        {"logistic", [](double s) { return logistic(s, 3.0); }, logistic_peak(3.0)},
        {"steep logistic", [](double s) { return logistic(s, 60.0); }, logistic_peak(60.0)},
        {"two steps", [](double s) { return 0.3 * logistic(s, 4.0) + 0.7 * logistic(s / 30.0, 4.0); },
         logistic_peak(4.0)},
        {"on a floor", [](double s) { return 0.1 + 0.9 * logistic(s, 4.0); }, logistic_peak(4.0)},
        {"small rise", [](double s) { return 0.95 + 0.05 * logistic(s, 4.0); }, logistic_peak(4.0)},
        {"falls again, below its floor",
         [](double s) { return (0.1 + 0.6 * logistic(s, 4.0)) * std::exp(-std::pow(s / 100.0, 2)); },
         logistic_peak(4.0)},
    };
}

/// The curve stretched to rise around 1/delta = scale, with a count of what it cost.
struct Probe {
    Curve lfr;
    double scale;
    int calls = 0;
    std::size_t widths = 0;

    double at(double inv_delta) const { return lfr(inv_delta / scale); }
    CurveExtent extent(double mean_squared_distance) {
        return measure_extent(
            [this](std::span<const double> inv_delta) {
                CHECK(std::ranges::is_sorted(inv_delta));
                ++calls;
                widths += inv_delta.size();
                std::vector<double> values;
                for (const double s : inv_delta) values.push_back(at(s));
                return values;
            },
            mean_squared_distance);
    }
};

/// What issue and header promise of the grid, for one of its curves.
void check_covers(const CoveringGrid& grid, const std::function<double(double)>& lfr,
                  const CurveExtent& extent) {
    const double rise = extent.ceiling - extent.floor;
    CHECK(std::abs(lfr(grid.inv_delta.front()) - extent.floor) <= 0.01 * rise);
    double reached = 0.0;
    for (const double s : grid.inv_delta) reached = std::max(reached, lfr(s));
    CHECK(reached >= extent.floor + 0.99 * rise);
}

double step_of(const CoveringGrid& grid) {
    return grid.inv_delta[1] - grid.inv_delta[0];
}

void check_refused(const std::string& text) {
    CAPTURE(text);
    try {
        FilterGridRequest::parse(text);
        FAIL("was taken");
    } catch (const InputError& error) {
        const std::string message = error.what();
        CHECK(message.find("'" + text + "'") != std::string::npos);
        CHECK(message.find("LO:HI:N") != std::string::npos);
        CHECK(message.find('\n') == std::string::npos);
    }
}

}  // namespace

TEST_CASE("analysis/filter_grid: widths include both ends, evenly spaced as asked") {
    const auto even = even_widths(0.0, 3.0, 7);
    REQUIRE(even.size() == 7);
    for (std::size_t k = 0; k < even.size(); ++k)
        CHECK(even[k] == doctest::Approx(0.5 * static_cast<double>(k)));
    const auto log = log_widths(1e-3, 1e3, 7);
    REQUIRE(log.size() == 7);
    for (std::size_t k = 0; k < log.size(); ++k)
        CHECK(log[k] == doctest::Approx(std::pow(10.0, static_cast<double>(k) - 3.0)));
    CHECK(even_widths(0.1, 0.7, 1000).back() == 0.7);
    CHECK(log_widths(0.1, 0.7, 1000).front() == 0.1);
    CHECK(log_widths(0.1, 0.7, 1000).back() == 0.7);
}

TEST_CASE("analysis/filter_grid: a request is read") {
    CHECK(FilterGridRequest::parse("auto").spacing == FilterGridRequest::Spacing::Auto);
    CHECK_THROWS_AS(FilterGridRequest::parse("auto").inv_deltas(), InputError);
    CHECK(FilterGridRequest::parse("0:2.5:6").inv_deltas() == even_widths(0.0, 2.5, 6));
    CHECK(FilterGridRequest::parse("log:1e-3:20:50").inv_deltas() == log_widths(1e-3, 20.0, 50));
    CHECK(FilterGridRequest::parse("1:2:100000").inv_deltas().size() == 100000);
}

TEST_CASE("analysis/filter_grid: nonsense is refused in one sentence") {
    for (const char* text : {"",
                             "Auto",
                             "auto:1:2:3",
                             "1",
                             "1:2",
                             "1:2:",
                             ":1:2",
                             "1:2:3:4",
                             "log",
                             "log:1:2",
                             "log:log:1:2:3",
                             "lin:1:2:3",
                             "a:2:3",
                             "1:b:3",
                             "1:2:c",
                             "1:2:3.5",
                             "1:2:1",
                             "1:2:0",
                             "1:2:-3",
                             "1:2:100001",
                             "1:2:99999999999",
                             "2:1:10",
                             "1:1:10",
                             "-1:1:10",
                             "log:-1:1:10",
                             "log:0:1:10",
                             "nan:1:10",
                             "0:nan:10",
                             "0:inf:10",
                             "0:1e999:10",
                             " 1:2:3",
                             "1:2:3 ",
                             "0x1:2:3",
                             "1,5:2:3",
                             "1:1.0000000000000002:10"})
        check_refused(text);
}

TEST_CASE("analysis/filter_grid: the automatic grid covers every kind of curve at every scale") {
    for (const Shape1d& shape : curve_shapes())
        for (const double scale : {1e-6, 3e-4, 0.07, 1.0, 20.0, 5e3, 1e6})
            for (const double hint : {1e-6, 1e-2, 0.3, 1.0, 50.0, 1e6}) {
                CAPTURE(shape.name);
                CAPTURE(scale);
                CAPTURE(hint);
                Probe probe{shape.lfr, scale};
                const CurveExtent extent = probe.extent(hint / scale);
                REQUIRE(extent.rises());
                CHECK(extent.floor == probe.at(0.0));
                CHECK(probe.calls <= 3);
                CHECK(probe.widths <= 49 + 48);
                const CoveringGrid grid = covering_grid({&extent, 1}, 1.0, 10000);
                CHECK(grid.note.empty());
                CHECK(grid.inv_delta.size() >= 100);
                CHECK(grid.inv_delta ==
                      even_widths(extent.low, extent.high, static_cast<int>(grid.inv_delta.size())));
                check_covers(
                    grid, [&](double s) { return probe.at(s); }, extent);
                if (shape.rdf_peak > 0.0) {
                    CHECK(step_of(grid) <= 0.04 * shape.rdf_peak * scale);
                    CHECK(extent.peak == doctest::Approx(shape.rdf_peak * scale).epsilon(0.16));
                }
            }
}

TEST_CASE("analysis/filter_grid: features of a known scale cost one call of 49 widths") {
    for (const double scale : {1e-6, 1.0, 1e6}) {
        Probe sine{[](double s) { return s > 0.0 ? std::exp(-1.0 / s) : 0.0; }, 10.0 * scale};
        CHECK(sine.extent(1.0 / scale).rises());
        CHECK(sine.calls == 1);
        CHECK(sine.widths == 49);
    }
}

TEST_CASE("analysis/filter_grid: steps many decades apart are both found") {
    Probe probe{[](double s) { return 0.5 * logistic(s, 4.0) + 0.5 * logistic(s / 1e9, 4.0); }, 1.0};
    const CurveExtent extent = probe.extent(1.0);
    CHECK(probe.at(extent.low) <= 0.01);
    CHECK(extent.low >= 0.1);
    CHECK(probe.at(extent.high) >= 0.99);
    CHECK(extent.high <= 1e10);
    CHECK(extent.peak == doctest::Approx(0.88).epsilon(0.16));
}

TEST_CASE("analysis/filter_grid: a hump that falls to 0 again between the probes is found whole") {
    // As with exclude_self: up, and down again when the last weights vanish.
    for (const double scale : log_widths(1e3, 2e6, 15)) {
        CAPTURE(scale);
        Probe probe{[](double s) {
                        return 0.1 + 0.8 * logistic(s, 2.0) * std::exp(-std::pow(s / 300.0, 2)) -
                               0.1 * (1.0 - std::exp(-std::pow(s / 300.0, 2)));
                    },
                    scale};
        const CurveExtent extent = probe.extent(1.0);
        REQUIRE(extent.rises());
        double largest = 0.0;
        for (const double s : log_widths(1.0, 1e3, 700)) largest = std::max(largest, probe.at(s * scale));
        CHECK(extent.ceiling == doctest::Approx(largest).epsilon(0.01));
        check_covers(
            covering_grid({&extent, 1}), [&](double s) { return probe.at(s); }, extent);
    }
}

TEST_CASE("analysis/filter_grid: a dip below the floor belongs to what is covered") {
    Probe probe{[](double s) { return 0.5 - 0.2 * logistic(s, 3.0) + 0.7 * logistic(s / 20.0, 3.0); }, 1.0};
    const CurveExtent extent = probe.extent(1.0);
    CHECK(extent.floor == 0.5);
    CHECK(extent.low < 0.3);
    CHECK(std::abs(probe.at(extent.low) - 0.5) <= 0.005);
}

TEST_CASE("analysis/filter_grid: one grid covers all curves, constant ones left out") {
    Probe low{[](double s) { return logistic(s, 4.0); }, 1.0};
    Probe high{[](double s) { return 0.2 + 0.8 * logistic(s, 4.0); }, 7.0};
    Probe flat{[](double) { return 1.0; }, 1.0};
    const std::vector<CurveExtent> extents{high.extent(1.0), flat.extent(1.0), low.extent(1.0)};
    CHECK_FALSE(extents[1].rises());
    CHECK(extents[1].floor == 1.0);
    const CoveringGrid grid = covering_grid(extents);
    check_covers(
        grid, [&](double s) { return high.at(s); }, extents[0]);
    check_covers(
        grid, [&](double s) { return low.at(s); }, extents[2]);
    CHECK(step_of(grid) <= 0.04 * 0.88);
    CHECK(grid.note.empty());
}

TEST_CASE("analysis/filter_grid: where too many even widths would be needed they are logarithmic, said so") {
    Probe low{[](double s) { return logistic(s, 4.0); }, 1.0};
    Probe high{[](double s) { return logistic(s, 4.0); }, 1e5};
    const std::vector<CurveExtent> extents{low.extent(1.0), high.extent(1.0)};
    const CoveringGrid grid = covering_grid(extents);
    CHECK(grid.inv_delta == log_covering_grid(extents).inv_delta);
    CHECK(grid.note.find(fmt::format("{} widths there are spaced logarithmically", grid.inv_delta.size())) !=
          std::string::npos);

    const std::vector<CurveExtent> one{low.extent(1.0)};
    const auto enough = static_cast<int>(covering_grid(one).inv_delta.size());
    REQUIRE(enough > CoveringGrid::min_count);
    CHECK(covering_grid(one, 1.0, enough).note.empty());
    CHECK_FALSE(covering_grid(one, 1.0, enough - 1).note.empty());
}

TEST_CASE("analysis/filter_grid: a peak eight decades below the end of the rise is found where it is") {
    // As of features all but a few of which have collapsed.
    const auto lfr = [](double s) { return 0.7 * logistic(s, 4.0) + 0.3 * logistic(s / 1e8, 2.0); };
    Probe probe{lfr, 1.0};
    const CurveExtent extent = probe.extent(1.0);
    const CoveringGrid grid = covering_grid({&extent, 1});
    FrequencyCurve curve{grid.inv_delta, {}};
    for (const double s : grid.inv_delta) curve.value.push_back(lfr(s));
    CHECK(find_peak(curve).inv_delta == doctest::Approx(0.88).epsilon(0.03));
}

TEST_CASE("analysis/filter_grid: a logarithmic grid has the same range in steps of at most 3 %") {
    Probe low{[](double s) { return logistic(s, 4.0); }, 1.0};
    Probe high{[](double s) { return logistic(s, 4.0); }, 1e5};
    const std::vector<CurveExtent> extents{low.extent(1.0), high.extent(1.0)};
    const CoveringGrid grid = log_covering_grid(extents);
    CHECK(grid.note.empty());
    CHECK(grid.inv_delta.front() == extents[0].low);
    CHECK(grid.inv_delta.back() == extents[1].high);
    for (std::size_t i = 1; i < grid.inv_delta.size(); ++i) {
        const double ratio = grid.inv_delta[i] / grid.inv_delta[i - 1];
        CHECK(ratio <= 1.03 + 1e-9);
        CHECK(ratio == doctest::Approx(grid.inv_delta[1] / grid.inv_delta[0]).epsilon(1e-9));
    }
    Probe steep{[](double s) { return logistic(s, 60.0); }, 1.0};
    const CurveExtent narrow = steep.extent(1.0);
    CHECK(log_covering_grid({&narrow, 1}).inv_delta.size() == CoveringGrid::min_count);
}

TEST_CASE("analysis/filter_grid: curves that never rise, or out of reach, are refused") {
    Probe flat{[](double) { return 0.3; }, 1.0};
    const CurveExtent extent = flat.extent(0.0);  // features that are all 0 have no scale
    CHECK_FALSE(extent.rises());
    CHECK_THROWS_AS(covering_grid({&extent, 1}), InputError);
    CHECK_THROWS_AS(log_covering_grid({&extent, 1}), InputError);
    CHECK_THROWS_AS(covering_grid({}), InputError);
    Probe noise{[](double s) { return 0.3 + 9e-4 * logistic(s, 4.0); }, 1.0};
    CHECK_FALSE(noise.extent(1.0).rises());
    Probe too_low{[](double s) { return logistic(s, 4.0); }, 1e-12};
    CHECK_THROWS_AS(too_low.extent(1.0), InputError);
    Probe too_high{[](double s) { return logistic(s, 4.0); }, 1e16};
    CHECK_THROWS_AS(too_high.extent(1.0), InputError);
}
