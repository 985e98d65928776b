#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace deepfreq {

/// Nodes b_m, ascending, and the relative errors of their weights exp(-b_m D).
struct NodeSet {
    std::vector<double> exponent, error;
};

/// Fits exp(-a D) by the exponentials at the nodes, one width at a time, and bounds the remainder
/// (kernels/filter_nodes.h).
class ExponentialFit {
  public:
    /// How far below and above a width the nodes used for it may lie.
    static constexpr double reach_below = 8.0, reach_above = 4.0;

    /// For n samples with D <= largest_distance. `nodes` must outlive the fit.
    ExponentialFit(const NodeSet& nodes, std::int64_t n, double largest_distance);

    /// exp(-a D) = c + sum_m coefficient[m] exp(-b_(first + m) D), up to an error of at most
    /// `error` max(exp(-a D), 1/(8 n)), which includes the errors of the weights.
    struct Result {
        int first = 0;
        std::vector<double> coefficient;  ///< the last is c
        double error = std::numeric_limits<double>::infinity();
    };
    Result operator()(double a) const;

  private:
    const double* basis(int m) const {
        return basis_.data() + static_cast<std::size_t>(m) * distance_.size();
    }
    std::vector<double> solve(int first, int count, bool with_constant, const std::vector<double>& target,
                              const std::vector<double>& scale, const std::vector<double>& emphasis) const;
    double bound(int first, const std::vector<double>& found, double a, std::size_t points) const;

    const NodeSet& nodes_;
    double floor_, largest_distance_;
    std::vector<double> distance_;
    std::vector<double> basis_;  ///< [node][distance]
};

}  // namespace deepfreq
