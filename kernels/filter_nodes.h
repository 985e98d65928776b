#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "kernels/ops/spectrum.h"

namespace deepfreq {

/// Weights of a pair of samples, each the one before times a ratio: 2^(-first D), 2^(-(first + step) D) … for
/// a squared distance D.
struct WeightChain {
    int count = 1;
    float first = 0.0F, step = 0.0F;  ///< step is 0 where count is 1
    /// The first weight and the ratio are exponentials; else the first weight is the last of the chain before
    /// times its ratio, and the ratio is that one squared.
    bool fresh = true;
};

/// What a backend's arithmetic costs and how far it is off.
struct WeightArithmetic {
    double exponential_error;    ///< relative, of 2^(-b D) for any float b
    double product_error;        ///< relative, of the product of two weights
    double exponential_cost;     ///< in products
    double sum_cost;             ///< of adding one weight to all its sums, in products
    std::int64_t least_samples;  ///< below, fitting the nodes takes longer than they save
    int longest_chain;           ///< where the sums are made at evenly spaced widths themselves
    int most_octaves_per_exponential = 2;
};

/// From which sums over pairs the sums at a grid of filter widths are made.
///
/// The low-frequency part of sample i at the width a = 1/(2 delta) needs S_a = sum_j y_j exp(-a D_ij) over
/// the other samples j, a sum over n^2 pairs for each of K widths. Seen as functions of D the K exponentials
/// are nearly dependent: each is, but for a small e(D), a sum of those at a few dozen nodes b_m,
///
///     exp(-a D) = c + sum_m L_m exp(-b_m D) + e(D)    and so    S_a = c sum_j y_j + sum_m L_m S_(b_m),
///
/// which takes n K r operations more, not n^2 K, however fine the grid. The nodes lie q to an octave, evenly
/// spaced within it, so that a weight costs one multiplication. L is fitted by least squares.
///
/// How far LFR is off. Every row's largest weight is 1: its own, which is added exactly, or, where i = j is
/// left out, that of its nearest other (GaussianLowFrequencyEnergy). So its weights sum to W, at
/// least 1. Let every other weight be off by e_j, at most eps max(exp(-a D), floor) with floor = 1/(8 n).
/// Then all of them together are off by at most eps (W + 1/8). An absolute error would not do: n far pairs
/// add up.
///
/// - One-hot targets: the row's class shares p_s change |p|^2 by 2 sum_j (p_s(j) - |p|^2) e_j / W. That is at
///   most 0.39 eps for the first part (two classes, p = 0.79) and 2 eps / 8 for the second: 0.64 eps.
/// - General targets: sum_i |y_low_i|^2 changes by at most eps sum_ij |y_j|^2 G_ij / W_i for the first part,
///   which is eps sum_j |y_j|^2 unless a few samples rule the rows of many others, and eps / 2 for the
///   second.
///
/// eps is not assumed. For every width, ExponentialFit bounds |e(D)| + sum_m |L_m| exp(-b_m D) (relative
/// error of that weight) at every D between 0 and the largest distance: on a dense grid, and from each point
/// to the next by a Taylor series with its remainder. If it is above allowed_error for any width, the nodes
/// are taken more densely; if that does not help or is no cheaper, the sums are made at the widths
/// themselves.
///
/// Sums of floats within a tile come on top: N additions lose at most N 2^-25 of the sum, and typically its
/// root. Nodes make that sum_m |L_m| exp(-b_m D) times as much, some 5 to 10 times.
struct FilterNodes {
    static constexpr double allowed_error = 6e-6;

    /// S_a = constant * sum_j y_j + sum_m coefficients[m] * S_(first + m), over the other samples j.
    struct Width {
        int first = 0, count = 0;
        std::int64_t coefficients = 0;  ///< where they begin
        double constant = 0.0;
    };

    std::vector<WeightChain> chains;
    int count = 0;  ///< of nodes, in all chains
    std::vector<Width> widths;
    std::vector<double> coefficients;
    double error = 0.0;  ///< eps; 0 where the nodes are the widths

    bool are_widths() const { return error == 0.0; }
};

/// Nodes for exp(-a D) at each a of `exponents` (ascending, >= 0), among n samples with D <=
/// largest_distance. The widths themselves where those are cheaper, but for FilterSums::AtNodes, or where no
/// nodes are good enough. `stop` is asked before each width is fitted: true ends it, which throws
/// Interrupted.
FilterNodes choose_nodes(std::span<const double> exponents, std::int64_t n, double largest_distance,
                         const WeightArithmetic& arithmetic, FilterSums sums = FilterSums::Auto,
                         const std::function<bool()>& stop = {});

/// The nodes are the widths themselves.
FilterNodes nodes_at_widths(std::span<const double> exponents, const WeightArithmetic& arithmetic);

}  // namespace deepfreq
