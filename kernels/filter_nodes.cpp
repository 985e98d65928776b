#include "kernels/filter_nodes.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

#include "common/error.h"
#include "kernels/filter_fit.h"

namespace deepfreq {
namespace {

constexpr double largest_exponent = std::numeric_limits<float>::max();

/// How densely nodes lie: nodes per octave, and octaves after which exponentials are computed afresh.
struct Density {
    int per_octave, octaves_per_exponential;
};

/// The nodes, and the errors of their weights.
struct SpacedNodes : NodeSet {
    std::vector<WeightChain> chains;
};

/// Nodes up to twice the largest exponent. They start at half the smallest exponent, or where the largest
/// distance has weight 1/e.
SpacedNodes make_nodes(double smallest, double largest, const Density& density,
                       const WeightArithmetic& arithmetic) {
    const int q = density.per_octave;
    SpacedNodes nodes;
    int octaves = 1;
    while (2.0 * largest * q / std::ldexp(2.0 * q - 1.0, octaves - 1) > smallest) ++octaves;
    // In powers of two, and with so few digits that every multiple used below is a float.
    int exponent = 0;
    const double digits =
        std::frexp(2.0 * largest * std::numbers::log2e / std::ldexp(2.0 * q - 1.0, octaves - 1), &exponent);
    const double base = std::ldexp(std::ceil(std::ldexp(digits, 18)), exponent - 18);
    double weight_error = 0.0, ratio_error = 0.0;
    for (int octave = 0; octave < octaves; ++octave) {
        const double step = std::ldexp(base, octave);
        const bool fresh = octave % density.octaves_per_exponential == 0;
        nodes.chains.push_back({q, static_cast<float>(q * step), static_cast<float>(step), fresh});
        for (int j = 0; j < q; ++j) {
            weight_error = j == 0 && fresh ? arithmetic.exponential_error
                                           : weight_error + ratio_error + arithmetic.product_error;
            if (j == 0)
                ratio_error =
                    fresh ? arithmetic.exponential_error : 2.0 * ratio_error + arithmetic.product_error;
            nodes.exponent.push_back((q + j) * step * std::numbers::ln2);
            nodes.error.push_back(weight_error + arithmetic.rounding_error);
        }
    }
    return nodes;
}

/// Cost of a pair's weights and their sums, in multiplications.
double cost_of(std::span<const WeightChain> chains, const WeightArithmetic& arithmetic) {
    double cost = 0.0;
    for (const WeightChain& chain : chains) {
        const double exponentials = chain.fresh ? (chain.count > 1 ? 2.0 : 1.0) : 0.0;
        cost += exponentials * arithmetic.exponential_cost + chain.count * (1.0 + arithmetic.sum_cost);
    }
    return cost;
}

/// The coefficients of all widths, or nothing if one cannot be fitted within the allowed error.
std::optional<FilterNodes> fit_all(const SpacedNodes& nodes, std::span<const double> exponents,
                                   std::int64_t n, double largest_distance,
                                   const std::function<bool()>& stop) {
    const ExponentialFit fit(nodes, n, largest_distance);
    std::vector<ExponentialFit::Result> results(exponents.size());
    std::atomic<bool> good = true, stopped = false;
    const auto last = static_cast<std::int64_t>(exponents.size()) - 1;
    // Starts from both ends, where nodes fail first.
#pragma omp parallel for schedule(dynamic, 1)
    for (std::int64_t i = 0; i <= last; ++i) {
        if (stop && !stopped && stop()) stopped = true;
        if (!good || stopped) continue;
        const std::int64_t k = i % 2 == 0 ? i / 2 : last - i / 2;
        results[k] = fit(exponents[k]);
        if (!(results[k].error <= FilterNodes::allowed_error)) good = false;
    }
    if (stopped) throw Interrupted();
    if (!good) return std::nullopt;
    FilterNodes out{.chains = nodes.chains,
                    .count = static_cast<int>(nodes.exponent.size()),
                    .widths = {},
                    .coefficients = {}};
    for (const ExponentialFit::Result& result : results) {
        out.widths.push_back({result.first, static_cast<int>(result.coefficient.size()) - 1,
                              static_cast<std::int64_t>(out.coefficients.size()), result.coefficient.back()});
        out.coefficients.insert(out.coefficients.end(), result.coefficient.begin(),
                                result.coefficient.end() - 1);
        out.error = std::max(out.error, result.error);
    }
    return out;
}

/// Whether the exponents are evenly spaced.
bool even(std::span<const double> exponents) {
    const double first = exponents.front(), last = exponents.back();
    const double step = (last - first) / static_cast<double>(exponents.size() - 1);
    for (std::size_t k = 0; k < exponents.size(); ++k)
        if (std::fabs(exponents[k] - (first + static_cast<double>(k) * step)) > 1e-12 * last) return false;
    return true;
}

/// The exponent for base 2, clamped to the safe range. Below that, a weight is 1.
float power_of_two(double exponent) {
    return static_cast<float>(std::clamp(exponent * std::numbers::log2e, 1e-30, largest_exponent));
}

/// Ranges of widths that have no use for each other's nodes. A width of 0 is on its own.
std::vector<std::span<const double>> neighbours(std::span<const double> exponents) {
    std::vector<std::span<const double>> found;
    for (std::size_t first = 0, end = 1; first < exponents.size(); ++end)
        if (end == exponents.size() ||
            exponents[end] > 2.0 * ExponentialFit::reach_below * exponents[end - 1]) {
            found.push_back(exponents.subspan(first, end - first));
            first = end;
        }
    return found;
}

void append(FilterNodes& to, const FilterNodes& part) {
    const auto coefficients = static_cast<std::int64_t>(to.coefficients.size());
    for (FilterNodes::Width width : part.widths) {
        width.first += to.count;
        width.coefficients += coefficients;
        to.widths.push_back(width);
    }
    to.chains.insert(to.chains.end(), part.chains.begin(), part.chains.end());
    to.coefficients.insert(to.coefficients.end(), part.coefficients.begin(), part.coefficients.end());
    to.count += part.count;
    to.error = std::max(to.error, part.error);
}

/// Nodes at the widths, for one range of neighbours.
FilterNodes at_widths(std::span<const double> exponents, const WeightArithmetic& arithmetic) {
    FilterNodes out;
    const auto count = static_cast<int>(exponents.size());
    if (exponents.back() == 0.0) {  // every weight is 1
        out.widths.assign(exponents.size(), {.constant = 1.0});
        return out;
    }
    const int longest = count > 2 && even(exponents) ? arithmetic.longest_chain : 1;
    for (int k = 0; k < count; k += longest) {
        const int length = std::min(longest, count - k);
        const double step = length > 1 ? (exponents.back() - exponents.front()) / (count - 1) : 0.0;
        out.chains.push_back({length, power_of_two(exponents[k]), length > 1 ? power_of_two(step) : 0.0F});
    }
    out.count = count;
    out.coefficients.assign(exponents.size(), 1.0);
    for (int k = 0; k < count; ++k) out.widths.push_back({k, 1, k});
    return out;
}

/// The same at spaced nodes, if there are any that serve.
std::optional<FilterNodes> at_nodes(std::span<const double> exponents, std::int64_t n,
                                    double largest_distance, const WeightArithmetic& arithmetic,
                                    double allowed_cost, const std::function<bool()>& stop) {
    const double largest = exponents.back();
    if (!(largest > 0.0) || largest > 0.1 * largest_exponent || !(largest_distance > 0.0))
        return std::nullopt;
    const double smallest = std::max({0.5 * exponents.front(), 1.0 / largest_distance, 1e-30});
    constexpr std::array<Density, 5> densities = {{{4, 2}, {5, 2}, {5, 1}, {6, 1}, {8, 1}}};
    for (const Density& density : densities) {
        if (density.octaves_per_exponential > arithmetic.most_octaves_per_exponential) continue;
        const SpacedNodes nodes = make_nodes(std::min(smallest, largest), largest, density, arithmetic);
        if (cost_of(nodes.chains, arithmetic) >= allowed_cost) break;
        if (std::optional<FilterNodes> found = fit_all(nodes, exponents, n, largest_distance, stop))
            return found;
    }
    return std::nullopt;
}

}  // namespace

FilterNodes nodes_at_widths(std::span<const double> exponents, const WeightArithmetic& arithmetic) {
    FilterNodes all;
    for (const std::span<const double> some : neighbours(exponents)) append(all, at_widths(some, arithmetic));
    return all;
}

FilterNodes choose_nodes(std::span<const double> exponents, std::int64_t n, double largest_distance,
                         const WeightArithmetic& arithmetic, FilterSums sums,
                         const std::function<bool()>& stop) {
    if (sums == FilterSums::AtWidths) return nodes_at_widths(exponents, arithmetic);
    const double fit_of_width = arithmetic.fit_cost / (static_cast<double>(n) * static_cast<double>(n));
    FilterNodes all;
    for (const std::span<const double> some : neighbours(exponents)) {
        const FilterNodes widths = at_widths(some, arithmetic);
        const double allowed_cost =
            sums == FilterSums::Auto
                ? cost_of(widths.chains, arithmetic) - static_cast<double>(some.size()) * fit_of_width
                : std::numeric_limits<double>::infinity();
        append(all, at_nodes(some, n, largest_distance, arithmetic, allowed_cost, stop).value_or(widths));
    }
    return all;
}

}  // namespace deepfreq
