#include "kernels/filter_nodes.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>

namespace deepfreq {
namespace {

/// Weights are asked to be exact relative to themselves down to this, divided by n.
constexpr double floor_times_n = 0.125;

/// Points on the axis of distances: each this much beyond the one before. Fitted on every third of them.
constexpr double spacing = 0.02;
constexpr int points_per_fitted = 3;

/// Terms of the Taylor series from one point to the next; the remainder is that of the next power.
constexpr int taylor_terms = 8;

/// Nodes used for one width: up to this far below and above it.
constexpr double reach_below = 8.0, reach_above = 4.0;

constexpr int fitting_rounds = 3;

constexpr double largest_exponent = std::numeric_limits<float>::max();

/// How densely nodes lie: so many to an octave, and exponentials anew after so many octaves.
struct Density {
    int per_octave, octaves_per_exponential;
};

/// Beyond this multiple of 1/b a weight is nothing beside the floor.
double negligible(double floor) {
    return 18.0 - std::log(floor);
}

/// The nodes, and how far their weights are off.
struct Nodes {
    std::vector<WeightChain> chains;
    std::vector<double> exponent, error;
};

/// Nodes from half the smallest exponent, or from where the largest distance has the weight 1/e, to twice the
/// largest.
Nodes make_nodes(double smallest, double largest, const Density& density,
                 const WeightArithmetic& arithmetic) {
    const int q = density.per_octave;
    Nodes nodes;
    int octaves = 1;
    while (2.0 * largest * q / std::ldexp(2.0 * q - 1.0, octaves - 1) > smallest) ++octaves;
    // In powers of two, and with so few digits that every multiple below is a float.
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
            nodes.error.push_back(weight_error);
        }
    }
    return nodes;
}

/// Products that the weights of a pair and their sums cost.
double cost_of(std::span<const WeightChain> chains, const WeightArithmetic& arithmetic) {
    double cost = 0.0;
    for (const WeightChain& chain : chains) {
        const double exponentials = chain.fresh ? (chain.count > 1 ? 2.0 : 1.0) : 0.0;
        cost += exponentials * arithmetic.exponential_cost + chain.count * (1.0 + arithmetic.sum_cost);
    }
    return cost;
}

/// Least squares by Gram and Schmidt: the columns of `matrix`, the last of which is the right-hand side, of
/// `rows` numbers each, are overwritten. A column that depends on those before it gets 0.
std::vector<double> least_squares(std::vector<double>& matrix, std::size_t rows, int unknowns) {
    const auto column = [&](int j) { return matrix.data() + static_cast<std::size_t>(j) * rows; };
    const auto dot = [&](const double* a, const double* b) {
        double sum = 0.0;
#pragma omp simd reduction(+ : sum)
        for (std::size_t i = 0; i < rows; ++i) sum += a[i] * b[i];
        return sum;
    };
    std::vector<double> upper(static_cast<std::size_t>(unknowns) * (unknowns + 1), 0.0);
    for (int j = 0; j < unknowns; ++j) {
        double* const q = column(j);
        const double square = dot(q, q);
        upper[j * (unknowns + 1) + j] = square;
        if (square == 0.0) continue;
        for (int k = j + 1; k <= unknowns; ++k) {
            double* const other = column(k);
            const double share = dot(q, other) / square;
            upper[j * (unknowns + 1) + k] = share;
#pragma omp simd
            for (std::size_t i = 0; i < rows; ++i) other[i] -= share * q[i];
        }
    }
    std::vector<double> x(static_cast<std::size_t>(unknowns), 0.0);
    for (int j = unknowns - 1; j >= 0; --j) {
        if (upper[j * (unknowns + 1) + j] == 0.0) continue;
        double value = upper[j * (unknowns + 1) + unknowns];
        for (int k = j + 1; k < unknowns; ++k) value -= upper[j * (unknowns + 1) + k] * x[k];
        x[j] = value;
    }
    return x;
}

/// Fits the exponentials of widths by those of nodes, and bounds what is left.
class Fit {
  public:
    Fit(const Nodes& nodes, std::int64_t n, double largest_distance)
        : nodes_(nodes), floor_(floor_times_n / static_cast<double>(n)), largest_distance_(largest_distance) {
        distance_.push_back(0.0);
        const double end = std::min(largest_distance, negligible(floor_) / nodes.exponent.front());
        for (double d = std::min(1e-3 / nodes.exponent.back(), 0.5 * end); d < end; d *= 1.0 + spacing)
            distance_.push_back(d);
        distance_.push_back(end);
        basis_.resize(nodes.exponent.size() * distance_.size());
        for (std::size_t m = 0; m < nodes.exponent.size(); ++m)
            for (std::size_t p = 0; p < distance_.size(); ++p)
                basis_[m * distance_.size() + p] = std::exp(-nodes.exponent[m] * distance_[p]);
    }

    /// L and c of one width, and the bound on its error.
    struct Result {
        int first = 0;
        std::vector<double> coefficient;  ///< the last is c
        double error = std::numeric_limits<double>::infinity();
    };

    Result operator()(double a) const {
        const double lowest = nodes_.exponent.front();
        const auto first = std::ranges::lower_bound(nodes_.exponent, a / reach_below);
        const auto last =
            std::ranges::upper_bound(first, nodes_.exponent.end(), reach_above * std::max(a, lowest));
        Result best{static_cast<int>(first - nodes_.exponent.begin()), {}};
        const auto count = static_cast<int>(last - first);
        const bool with_constant = best.first == 0;
        // Beyond, weights and nodes are nothing beside the floor.
        const double end =
            with_constant ? distance_.back() : std::min(distance_.back(), negligible(floor_) / *first);
        const std::size_t points = std::ranges::upper_bound(distance_, end) - distance_.begin();
        std::vector<double> scale(points), target(points);
        for (std::size_t p = 0; p < points; ++p) {
            target[p] = std::exp(-a * distance_[p]);
            scale[p] = 1.0 / std::max(target[p], floor_);
        }
        std::vector<double> emphasis(points, 1.0);
        for (int round = 0; round < fitting_rounds; ++round) {
            std::vector<double> found = solve(best.first, count, with_constant, target, scale, emphasis);
            // What is left decides where the next round must fit better.
            double largest = 0.0;
            std::vector<double> left(points);
            for (std::size_t p = 0; p < points; p += points_per_fitted) {
                double sum = found.back() - target[p];
                for (int m = 0; m < count; ++m) sum += found[m] * basis(best.first + m)[p];
                left[p] = std::fabs(sum) * scale[p];
                largest = std::max(largest, left[p]);
            }
            const double error = bound(best.first, found, a, points);
            if (error < best.error) best.error = error, best.coefficient = std::move(found);
            if (largest == 0.0) break;
            for (std::size_t p = 0; p < points; p += points_per_fitted)
                emphasis[p] *= 0.3 + left[p] / largest;
            const double top = std::ranges::max(emphasis);
            for (double& value : emphasis) value /= top;
        }
        return best;
    }

  private:
    const double* basis(int m) const {
        return basis_.data() + static_cast<std::size_t>(m) * distance_.size();
    }

    /// Coefficients that make the scaled error small, and themselves: a row for each keeps it below what the
    /// error of its node's weights allows.
    std::vector<double> solve(int first, int count, bool with_constant, const std::vector<double>& target,
                              const std::vector<double>& scale, const std::vector<double>& emphasis) const {
        const int unknowns = count + (with_constant ? 1 : 0);
        const std::size_t fitted = (target.size() + points_per_fitted - 1) / points_per_fitted;
        const std::size_t rows = fitted + static_cast<std::size_t>(unknowns);
        std::vector<double> matrix(rows * (static_cast<std::size_t>(unknowns) + 1), 0.0);
        for (int m = 0; m < unknowns; ++m) {
            double* const column = matrix.data() + static_cast<std::size_t>(m) * rows;
            double largest = 0.0;
            for (std::size_t i = 0; i < fitted; ++i) {
                const std::size_t p = i * points_per_fitted;
                const double value = (m < count ? basis(first + m)[p] : 1.0) * scale[p];
                largest = std::max(largest, value);
                column[i] = value * emphasis[p];
            }
            column[fitted + static_cast<std::size_t>(m)] =
                largest * (m < count ? nodes_.error[static_cast<std::size_t>(first + m)] : 1e-10);
        }
        double* const right = matrix.data() + static_cast<std::size_t>(unknowns) * rows;
        for (std::size_t i = 0; i < fitted; ++i)
            right[i] = target[i * points_per_fitted] * scale[i * points_per_fitted] *
                       emphasis[i * points_per_fitted];
        std::vector<double> found = least_squares(matrix, rows, unknowns);
        found.resize(static_cast<std::size_t>(count) + 1, 0.0);
        return found;
    }

    /// The largest error of a weight over max(exp(-a D), floor), for every D up to the largest distance.
    double bound(int first, const std::vector<double>& found, double a, std::size_t points) const {
        constexpr std::size_t at_once = 64;
        const auto count = static_cast<int>(found.size()) - 1;
        double largest = 0.0;
        for (std::size_t begin = 0; begin + 1 < points; begin += at_once) {
            const std::size_t size = std::min(at_once, points - 1 - begin);
            const double* const from = distance_.data() + begin;
            // series[t]: the term of power t to the next point; then the remainder's, and the errors of
            // weights.
            std::array<std::array<double, at_once>, taylor_terms> series{};
            std::array<double, at_once> remainder{}, noise{};
            const auto add = [&](double coefficient, double exponent, double error, const double* power) {
#pragma omp simd
                for (std::size_t p = 0; p < size; ++p) {
                    const double step = exponent * (from[p + 1] - from[p]);
                    double term = coefficient * power[p];
                    noise[p] += std::fabs(term) * error;
                    for (int t = 0; t < taylor_terms; ++t) {
                        series[t][p] += term;
                        term *= -step / (t + 1);
                    }
                    remainder[p] += std::fabs(term);
                }
            };
            for (int m = 0; m < count; ++m) {
                const auto node = static_cast<std::size_t>(first + m);
                add(found[m], nodes_.exponent[node], nodes_.error[node], basis(first + m) + begin);
            }
            std::array<double, at_once + 1> target{};
            for (std::size_t p = 0; p <= size; ++p) target[p] = std::exp(-a * from[p]);
            add(-1.0, a, 0.0, target.data());
            for (std::size_t p = 0; p < size; ++p) {
                double sum = std::fabs(series[0][p] + found.back()) + noise[p] + remainder[p];
                for (int t = 1; t < taylor_terms; ++t) sum += std::fabs(series[t][p]);
                largest = std::max(largest, sum / std::max(target[p + 1], floor_));
            }
        }
        // Beyond the last point nothing grows.
        const double last = distance_[points - 1];
        if (last >= largest_distance_) return largest;
        double beyond = std::fabs(found.back()) + std::exp(-a * last);
        for (int m = 0; m < count; ++m)
            beyond += std::fabs(found[m]) * basis(first + m)[points - 1] * (1.0 + nodes_.error[first + m]);
        return std::max(largest, beyond / floor_);
    }

    const Nodes& nodes_;
    double floor_, largest_distance_;
    std::vector<double> distance_;
    std::vector<double> basis_;  ///< [node][distance]
};

/// The coefficients of all widths, or nothing if one cannot be had within the allowed error.
std::optional<FilterNodes> fit_all(const Nodes& nodes, std::span<const double> exponents, std::int64_t n,
                                   double largest_distance) {
    const Fit fit(nodes, n, largest_distance);
    std::vector<Fit::Result> results(exponents.size());
    std::atomic<bool> good = true;
    const auto last = static_cast<std::int64_t>(exponents.size()) - 1;
    // From both ends, where nodes fail first.
#pragma omp parallel for schedule(dynamic, 1)
    for (std::int64_t i = 0; i <= last; ++i) {
        if (!good) continue;
        const std::int64_t k = i % 2 == 0 ? i / 2 : last - i / 2;
        results[k] = fit(exponents[k]);
        if (!(results[k].error <= FilterNodes::allowed_error)) good = false;
    }
    if (!good) return std::nullopt;
    FilterNodes out{.chains = nodes.chains,
                    .count = static_cast<int>(nodes.exponent.size()),
                    .widths = {},
                    .coefficients = {}};
    for (const Fit::Result& result : results) {
        out.widths.push_back({result.first, static_cast<int>(result.coefficient.size()) - 1,
                              static_cast<std::int64_t>(out.coefficients.size()), result.coefficient.back()});
        out.coefficients.insert(out.coefficients.end(), result.coefficient.begin(),
                                result.coefficient.end() - 1);
        out.error = std::max(out.error, result.error);
    }
    return out;
}

/// Whether they are evenly spaced.
bool even(std::span<const double> exponents) {
    const double first = exponents.front(), last = exponents.back();
    const double step = (last - first) / static_cast<double>(exponents.size() - 1);
    for (std::size_t k = 0; k < exponents.size(); ++k)
        if (std::fabs(exponents[k] - (first + static_cast<double>(k) * step)) > 1e-12 * last) return false;
    return true;
}

/// As a power of two, between the smallest and the largest that are safe: below, a weight is 1.
float power_of_two(double exponent) {
    return static_cast<float>(std::clamp(exponent * std::numbers::log2e, 1e-30, largest_exponent));
}

/// Ranges of widths that have no use for each other's nodes; a width of 0 is by itself.
std::vector<std::span<const double>> neighbours(std::span<const double> exponents) {
    std::vector<std::span<const double>> found;
    for (std::size_t first = 0, end = 1; first < exponents.size(); ++end)
        if (end == exponents.size() || exponents[end] > 2.0 * reach_below * exponents[end - 1]) {
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

/// Of neighbours.
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

/// The same at nodes, if there are any that serve.
std::optional<FilterNodes> at_nodes(std::span<const double> exponents, std::int64_t n,
                                    double largest_distance, const WeightArithmetic& arithmetic,
                                    double allowed_cost) {
    if (!(exponents.back() > 0.0) || !(largest_distance > 0.0)) return std::nullopt;
    const double largest = std::min(exponents.back(), 0.1 * largest_exponent);
    const double smallest = std::max({0.5 * exponents.front(), 1.0 / largest_distance, 1e-30});
    constexpr std::array<Density, 5> densities = {{{4, 2}, {5, 2}, {5, 1}, {6, 1}, {8, 1}}};
    for (const Density& density : densities) {
        if (density.octaves_per_exponential > arithmetic.most_octaves_per_exponential) continue;
        const Nodes nodes = make_nodes(std::min(smallest, largest), largest, density, arithmetic);
        if (cost_of(nodes.chains, arithmetic) >= allowed_cost) break;
        if (std::optional<FilterNodes> found = fit_all(nodes, exponents, n, largest_distance)) return found;
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
                         const WeightArithmetic& arithmetic, FilterSums sums) {
    if (sums == FilterSums::AtWidths || (sums == FilterSums::Auto && n < arithmetic.least_samples))
        return nodes_at_widths(exponents, arithmetic);
    FilterNodes all;
    for (const std::span<const double> some : neighbours(exponents)) {
        const FilterNodes widths = at_widths(some, arithmetic);
        const double allowed_cost = sums == FilterSums::Auto ? cost_of(widths.chains, arithmetic)
                                                             : std::numeric_limits<double>::infinity();
        append(all, at_nodes(some, n, largest_distance, arithmetic, allowed_cost).value_or(widths));
    }
    return all;
}

}  // namespace deepfreq
