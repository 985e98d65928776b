#include "oracle/spectrum_reference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace deepfreq::reference {
namespace {

double squared_distance(const float* a, const float* b, std::int64_t d) {
    double sum = 0.0;
    for (std::int64_t k = 0; k < d; ++k) {
        const double difference = static_cast<double>(a[k]) - static_cast<double>(b[k]);
        sum += difference * difference;
    }
    return sum;
}

}  // namespace

std::vector<double> low_frequency_energy(const std::vector<float>& x, const std::vector<float>& y,
                                         std::int64_t n, const std::vector<double>& inv_delta,
                                         bool exclude_self, const std::vector<std::int64_t>& rows) {
    const std::int64_t d = static_cast<std::int64_t>(x.size()) / n;
    const std::int64_t c = static_cast<std::int64_t>(y.size()) / n;
    const auto inv_deltas = static_cast<std::int64_t>(inv_delta.size());
    std::vector<double> energy_of_row(rows.size() * inv_delta.size(), 0.0);
#pragma omp parallel for schedule(dynamic)
    for (std::int64_t r = 0; r < std::ssize(rows); ++r) {
        const std::int64_t i = rows[r];
        std::vector<double> distance;
        double nearest = std::numeric_limits<double>::infinity();
        for (std::int64_t j = 0; j < n; ++j) {
            distance.push_back(squared_distance(&x[i * d], &x[j * d], d));
            if (!exclude_self || i != j) nearest = std::min(nearest, distance.back());
        }
        for (std::int64_t k = 0; k < inv_deltas; ++k) {
            std::vector<double> sum(static_cast<std::size_t>(c), 0.0);
            double weight_sum = 0.0;
            for (std::int64_t j = 0; j < n; ++j) {
                if (exclude_self && i == j) continue;
                // Relative to the largest: the ratio of the sums is unchanged, and nothing
                // that matters underflows.
                const double weight = std::exp(-(distance[j] - nearest) * inv_delta[k] / 2.0);
                weight_sum += weight;
                for (std::int64_t s = 0; s < c; ++s) sum[s] += weight * y[j * c + s];
            }
            if (weight_sum == 0.0) continue;
            for (const double value : sum)
                energy_of_row[r * inv_deltas + k] += std::pow(value / weight_sum, 2.0);
        }
    }
    std::vector<double> energy(inv_delta.size(), 0.0);
    for (std::int64_t r = 0; r < std::ssize(rows); ++r)
        for (std::int64_t k = 0; k < inv_deltas; ++k) energy[k] += energy_of_row[r * inv_deltas + k];
    return energy;
}

std::vector<double> low_frequency_ratio(const std::vector<float>& x, const std::vector<float>& y,
                                        std::int64_t n, const std::vector<double>& inv_delta,
                                        bool exclude_self) {
    std::vector<std::int64_t> rows(static_cast<std::size_t>(n));
    std::iota(rows.begin(), rows.end(), 0);
    std::vector<double> ratio = low_frequency_energy(x, y, n, inv_delta, exclude_self, rows);
    double total = 0.0;
    for (const float value : y) total += static_cast<double>(value) * value;
    for (double& value : ratio) value /= total;
    return ratio;
}

}  // namespace deepfreq::reference
