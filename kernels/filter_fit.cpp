#include "kernels/filter_fit.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace deepfreq {
namespace {

/// Weights must have a small relative error down to this value divided by n (the floor).
constexpr double floor_times_n = 0.125;

/// Points on the distance axis: each lies this fraction beyond the one before. Every third of them is fitted.
constexpr double spacing = 0.02;
constexpr int points_per_fitted = 3;

/// Terms of the Taylor series from one point to the next. The remainder is that of the next power.
constexpr int taylor_terms = 8;

constexpr int fitting_rounds = 3;

/// Beyond this multiple of 1/b, a weight is negligible compared with the floor.
double negligible(double floor) {
    return 18.0 - std::log(floor);
}

/// Least squares by Gram-Schmidt. The columns of `matrix`, of `rows` numbers each, are overwritten; the last
/// one is the right-hand side. A column that depends on those before it gets 0.
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

}  // namespace

ExponentialFit::ExponentialFit(const NodeSet& nodes, std::int64_t n, double largest_distance)
    : nodes_(nodes), floor_(floor_times_n / static_cast<double>(n)), largest_distance_(largest_distance) {
    distance_.push_back(0.0);
    const double end = std::min(largest_distance, negligible(floor_) / nodes.exponent.front());
    const double first = std::min(1e-3 / nodes.exponent.back(), 0.5 * end);
    const auto steps = static_cast<int>(std::log(end / first) / std::log1p(spacing));
    for (int p = 0; p <= steps; ++p) distance_.push_back(std::min(end, first * std::pow(1.0 + spacing, p)));
    distance_.push_back(end);
    basis_.resize(nodes.exponent.size() * distance_.size());
    for (std::size_t m = 0; m < nodes.exponent.size(); ++m)
        for (std::size_t p = 0; p < distance_.size(); ++p)
            basis_[m * distance_.size() + p] = std::exp(-nodes.exponent[m] * distance_[p]);
}

ExponentialFit::Result ExponentialFit::operator()(double a) const {
    const double lowest = nodes_.exponent.front();
    const auto first = std::ranges::lower_bound(nodes_.exponent, a / reach_below);
    const auto last =
        std::ranges::upper_bound(first, nodes_.exponent.end(), reach_above * std::max(a, lowest));
    Result best{static_cast<int>(first - nodes_.exponent.begin()), {}};
    const auto count = static_cast<int>(last - first);
    const bool with_constant = best.first == 0;
    // Beyond this, weights and nodes are negligible compared with the floor.
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
        // The residual decides where the next round must fit better.
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
        for (std::size_t p = 0; p < points; p += points_per_fitted) emphasis[p] *= 0.3 + left[p] / largest;
        const double top = std::ranges::max(emphasis);
        for (double& value : emphasis) value /= top;
    }
    return best;
}

/// Coefficients that make the scaled error small while staying small themselves: an extra row per coefficient
/// keeps it within what the error of its node's weights allows.
std::vector<double> ExponentialFit::solve(int first, int count, bool with_constant,
                                          const std::vector<double>& target, const std::vector<double>& scale,
                                          const std::vector<double>& emphasis) const {
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
            largest * (m < count ? nodes_.error[first + m] : 1e-10);
    }
    double* const right = matrix.data() + static_cast<std::size_t>(unknowns) * rows;
    for (std::size_t i = 0; i < fitted; ++i)
        right[i] =
            target[i * points_per_fitted] * scale[i * points_per_fitted] * emphasis[i * points_per_fitted];
    std::vector<double> found = least_squares(matrix, rows, unknowns);
    found.resize(static_cast<std::size_t>(count) + 1, 0.0);
    return found;
}

/// The largest error of a weight relative to max(exp(-a D), floor), over all D up to the largest distance.
double ExponentialFit::bound(int first, const std::vector<double>& found, double a,
                             std::size_t points) const {
    constexpr std::size_t at_once = 64;
    const auto count = static_cast<int>(found.size()) - 1;
    double largest = 0.0;
    for (std::size_t begin = 0; begin + 1 < points; begin += at_once) {
        const std::size_t size = std::min(at_once, points - 1 - begin);
        const double* const from = distance_.data() + begin;
        // series[t]: the term of power t towards the next point. Then the remainders, and the errors of the
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
            const int node = first + m;
            add(found[m], nodes_.exponent[node], nodes_.error[node], basis(node) + begin);
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

}  // namespace deepfreq
