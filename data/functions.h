#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace deepfreq {

/// A function sampled at n points, for a network to fit.
struct RegressionSet {
    std::string name;            ///< the function: "sin(3 pi x)" …
    std::int64_t samples = 0;    ///< n
    std::int64_t features = 0;   ///< d
    std::vector<float> inputs;   ///< [n, d], row-major
    std::vector<float> targets;  ///< [n, 1]
};

/// n evenly spaced points of a range, including both ends. The functions below throw InputError naming what
/// was found when n < 2, or when the range is empty or not finite.
struct Grid {
    std::int64_t n = 0;
    double low = -1.0;
    double high = 1.0;
};

/// sin(k pi x).
RegressionSet sample_sin_k_pi(double k, const Grid& grid);
/// cos(k x).
RegressionSet sample_cos_k(double k, const Grid& grid);
/// cos(3 x) + cos(5 x).
RegressionSet sample_cos3_plus_cos5(const Grid& grid);

/// A formula in x, k and pi, in muParser's syntax: "sin(k*pi*x)", "abs(x)^k" … with its functions and
/// operators. `name` is the formula, followed by the value of k if k occurs in it. Throws InputError when it
/// cannot be parsed, uses another name, or is not finite in float at one of the points (which is named).
RegressionSet sample_formula(const std::string& formula, double k, const Grid& grid);

/// Its values at the same points in double precision. Throws likewise, but they need only
/// be finite in double.
std::vector<double> formula_values(const std::string& formula, double k, const Grid& grid);

/// The points of a grid.
std::vector<double> points_of(const Grid& grid);

/// How much of a formula a grid cannot show, because it lies between the points: the mean squared error of
/// linear interpolation between them, as a share of the formula's variance. A sine sampled seven times per
/// period gives 0.01. Throws as sample_formula does.
double share_between_points(const std::string& formula, double k, const Grid& grid);

/// Whether k occurs in it. Throws InputError when the formula cannot be parsed.
bool formula_uses_k(const std::string& formula);

/// All 2^d corners of the cube {-1, 1}^d and the product of their coordinates: feature j of sample i is +1
/// where bit j of i is 0. Throws InputError unless 1 <= bits <= 20.
RegressionSet sample_parity(std::int64_t bits);

}  // namespace deepfreq
