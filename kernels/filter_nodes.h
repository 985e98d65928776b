#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "kernels/ops/spectrum.h"

namespace deepfreq {

/// Weights of a pair of samples, each the previous one times a ratio: 2^(-first D), 2^(-(first + step) D) …
/// for a squared distance D.
struct WeightChain {
    int count = 1;
    float first = 0.0F, step = 0.0F;  ///< step is 0 if count is 1
    /// If true, the first weight and the ratio are computed as exponentials. Otherwise the first weight is
    /// the last weight of the previous chain times that chain's ratio, and the ratio is that ratio squared.
    bool fresh = true;
};

/// The cost and the error of a backend's arithmetic.
struct WeightArithmetic {
    double exponential_error;     ///< relative, of 2^(-b D) for any float b
    double product_error;         ///< relative, of the product of two weights
    double rounding_error = 0.0;  ///< relative, of a weight as it is summed
    double exponential_cost;      ///< in products
    double sum_cost;              ///< of adding one weight to all its sums, in products
    double fit_cost;              ///< of fitting a width, in products, shared out among n^2 pairs
    int longest_chain;            ///< when the sums are taken at evenly spaced widths themselves
    int most_octaves_per_exponential = 2;
};

/// The sums over pairs from which the sums at a grid of filter widths are computed.
///
/// The low-frequency part of sample i at the width a = 1/(2 delta) needs S_a = sum_j y_j exp(-a D_ij) over
/// the other samples j: a sum over n^2 pairs for each of K widths. As functions of D, the K exponentials are
/// nearly linearly dependent: up to a small e(D), each is a linear combination of those at a few dozen nodes
/// b_m,
///
///     exp(-a D) = c + sum_m L_m exp(-b_m D) + e(D)    and so    S_a = c sum_j y_j + sum_m L_m S_(b_m),
///
/// which takes n K r additional operations instead of n^2 K, however fine the grid. There are q nodes per
/// octave, evenly spaced within it, so that a weight costs one multiplication. L is fitted by least squares.
///
/// The error of LFR. Every row's largest weight is 1: its own, which is added exactly, or, if i = j is left
/// out, that of its nearest neighbour (GaussianLowFrequencyEnergy). So its weights sum to some W >= 1. Let
/// every other weight have an error e_j of at most eps max(exp(-a D), floor) with floor = 1/(8 n). Then their
/// errors add up to at most eps (W + 1/8). Bounding the absolute error would not do: n far pairs add up.
///
/// - One-hot targets: the row's class shares p_s change |p|^2 by 2 sum_j (p_s(j) - |p|^2) e_j / W. That is at
///   most 0.39 eps for the first part (two classes, p = 0.79) and 2 eps / 8 for the second: 0.64 eps.
/// - General targets: sum_i |y_low_i|^2 changes by at most eps sum_ij |y_j|^2 G_ij / W_i for the first part,
///   which is eps sum_j |y_j|^2 unless a few samples dominate the rows of many others, and eps / 2 for the
///   second.
///
/// eps is not assumed. For every width, ExponentialFit bounds |e(D)| + sum_m |L_m| exp(-b_m D) (relative
/// error of that weight) at every D between 0 and the largest distance: on a dense grid, and between
/// neighbouring points by a Taylor series with its remainder. If the bound exceeds allowed_error for any
/// width, the nodes are placed more densely; if that does not help or is no cheaper, the sums are taken at
/// the widths themselves.
///
/// The rounding of float sums within a tile comes on top: N additions lose at most N 2^-25 of the sum, and
/// typically sqrt(N) 2^-25. Nodes multiply this by sum_m |L_m| exp(-b_m D), a factor of some 5 to 10.
struct FilterNodes {
    static constexpr double allowed_error = 6e-6;

    /// S_a = constant * sum_j y_j + sum_m coefficients[m] * S_(first + m), over the other samples j.
    struct Width {
        int first = 0, count = 0;
        std::int64_t coefficients = 0;  ///< index of the first coefficient
        double constant = 0.0;
    };

    std::vector<WeightChain> chains;
    int count = 0;  ///< number of nodes in all chains
    std::vector<Width> widths;
    std::vector<double> coefficients;
    double error = 0.0;  ///< eps; 0 if the nodes are the widths

    bool are_widths() const { return error == 0.0; }
};

/// Chooses nodes for exp(-a D) at each a of `exponents` (ascending, >= 0), for n samples with
/// D <= largest_distance. Returns the widths themselves if those are cheaper than nodes and their fit (except
/// with FilterSums::AtNodes) or if no nodes are good enough. `stop` is called before each width is fitted; when it
/// returns true, Interrupted is thrown.
FilterNodes choose_nodes(std::span<const double> exponents, std::int64_t n, double largest_distance,
                         const WeightArithmetic& arithmetic, FilterSums sums = FilterSums::Auto,
                         const std::function<bool()>& stop = {});

/// The nodes are the widths themselves.
FilterNodes nodes_at_widths(std::span<const double> exponents, const WeightArithmetic& arithmetic);

}  // namespace deepfreq
