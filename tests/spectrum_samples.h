#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "common/philox.h"
#include "kernels/backend.h"
#include "oracle/spectrum_reference.h"
#include "tests/backends.h"

// Samples whose spectrum is known from the oracle, and the comparison with it.

namespace deepfreq::tests {

using Floats = std::vector<float>;
using Grid = std::vector<double>;
using Rows = std::vector<std::int64_t>;

inline Rows all_rows(std::int64_t n) {
    Rows rows(static_cast<std::size_t>(n));
    std::iota(rows.begin(), rows.end(), 0);
    return rows;
}

/// Samples x[n,d] with targets y[n,c].
struct Samples {
    std::int64_t n, d, c;
    Floats x, y;
};

/// n samples in c clusters: centres and noise are normal, of the given sizes. Targets are the one-hot
/// cluster, or normal numbers.
inline Samples clusters(std::int64_t n, std::int64_t d, std::int64_t c, bool one_hot, double centre = 0.5,
                        double noise = 1.0) {
    const Philox random(static_cast<std::uint64_t>(n * 1000003 + d * 1009 + c), RandomUse::Functions);
    Samples s{n, d, c, Floats(static_cast<std::size_t>(n * d)), Floats(static_cast<std::size_t>(n * c))};
    std::uint64_t next = 0;
    std::vector<double> centres(static_cast<std::size_t>(c * d));
    for (double& value : centres) value = centre * random.normal(next++);
    for (std::int64_t i = 0; i < n; ++i) {
        const auto label = static_cast<std::int64_t>(random.uniform(next++) * static_cast<double>(c));
        for (std::int64_t k = 0; k < d; ++k)
            s.x[i * d + k] = static_cast<float>(centres[label * d + k] + noise * random.normal(next++));
        for (std::int64_t k = 0; k < c; ++k)
            s.y[i * c + k] = one_hot ? (k == label ? 1.0F : 0.0F) : static_cast<float>(random.normal(next++));
    }
    return s;
}

/// Applies f(value, row, column) to every feature.
inline Samples with_features(Samples s, const std::function<double(double, std::int64_t, std::int64_t)>& f) {
    for (std::int64_t i = 0; i < s.n * s.d; ++i) s.x[i] = static_cast<float>(f(s.x[i], i / s.d, i % s.d));
    return s;
}

/// The samples in d dimensions: by a linear map, so that they vary in as many directions as before.
inline Samples spread(const Samples& few, std::int64_t d) {
    const Samples map = clusters(few.d, d, 1, true);
    Samples s{few.n, d, few.c, Floats(static_cast<std::size_t>(few.n * d)), few.y};
    for (std::int64_t i = 0; i < s.n; ++i)
        for (std::int64_t k = 0; k < d; ++k) {
            double sum = 0.0;
            for (std::int64_t l = 0; l < few.d; ++l)
                sum += static_cast<double>(few.x[i * few.d + l]) * map.x[l * d + k];
            s.x[i * d + k] = static_cast<float>(sum);
        }
    return s;
}

/// A scale of its own for each column, and the samples scaled by it.
struct ScaledSamples {
    std::vector<double> offset, factor;
    Samples scaled;

    explicit ScaledSamples(const Samples& s) : scaled(s) {
        for (std::int64_t k = 0; k < s.d; ++k) {
            offset.push_back(0.3 * static_cast<double>(k % 5));
            factor.push_back(1.0 / static_cast<double>(1 + k % 3));
        }
        for (std::int64_t i = 0; i < s.n; ++i) scale().apply(s.x.data() + i * s.d, scaled.x.data() + i * s.d);
    }
    ColumnScale scale() const { return {offset, factor}; }
};

/// Mean squared distance of two samples, the unit of the grids below.
inline double mean_squared_distance(const Samples& s) {
    double sum = 0.0;
    for (std::int64_t k = 0; k < s.d; ++k) {
        double mean = 0.0;
        for (std::int64_t i = 0; i < s.n; ++i) mean += s.x[i * s.d + k];
        mean /= static_cast<double>(s.n);
        for (std::int64_t i = 0; i < s.n; ++i) sum += std::pow(s.x[i * s.d + k] - mean, 2.0);
    }
    return sum > 0.0 ? 2.0 * sum / static_cast<double>(s.n) : 1.0;
}

/// 1/delta from lo to hi, in units of 1 / mean squared distance.
inline Grid even_grid(const Samples& s, double lo, double hi, int count) {
    Grid grid;
    for (int k = 0; k < count; ++k)
        grid.push_back((lo + (hi - lo) * k / std::max(1, count - 1)) / mean_squared_distance(s));
    return grid;
}
inline Grid log_grid(const Samples& s, double lo, double hi, int count) {
    Grid grid;
    for (int k = 0; k < count; ++k)
        grid.push_back(lo * std::pow(hi / lo, k / std::max(1.0, count - 1.0)) / mean_squared_distance(s));
    return grid;
}

inline std::vector<double> energy(Backend& backend, const Samples& s, const Grid& grid,
                                  const LowFrequencyParams& params = {}) {
    const Buffer x = backend.allocate(s.x.size() * sizeof(float));
    const Buffer y = backend.allocate(s.y.size() * sizeof(float));
    backend.upload<float>(s.x, x.view<float>({s.n, s.d}));
    backend.upload<float>(s.y, y.view<float>({s.n, s.c}));
    return backend(GaussianLowFrequencyEnergy{
        .samples = {.x = x.view<float>({s.n, s.d}), .y = y.view<float>({s.n, s.c}), .inv_deltas = grid},
        .params = params});
}

/// Energies of listed rows, [rows][widths].
inline std::vector<double> row_energies(Backend& backend, const Samples& s, const Grid& grid,
                                        std::span<const std::int64_t> rows,
                                        const LowFrequencyParams& params = {}) {
    const Buffer x = backend.allocate(s.x.size() * sizeof(float));
    const Buffer y = backend.allocate(s.y.size() * sizeof(float));
    backend.upload<float>(s.x, x.view<float>({s.n, s.d}));
    backend.upload<float>(s.y, y.view<float>({s.n, s.c}));
    return backend(GaussianLowFrequencyRowEnergies{
        .samples = {.x = x.view<float>({s.n, s.d}), .y = y.view<float>({s.n, s.c}), .inv_deltas = grid},
        .rows = rows,
        .params = params});
}

inline double sum_of_squares(const Floats& y) {
    double sum = 0.0;
    for (const float value : y) sum += static_cast<double>(value) * value;
    return sum;
}

/// Every width of these backends is within 1e-5 of the oracle's LFR, whether sums are made at widths or at
/// nodes.
inline void check_against_reference(const std::string& name, const Samples& s, const Grid& grid,
                                    bool exclude_self = false,
                                    std::span<const TestedBackend> backends = backends_present()) {
    const std::vector<double> expected = reference::low_frequency_ratio(s.x, s.y, s.n, grid, exclude_self);
    const double total = sum_of_squares(s.y);
    for (const TestedBackend& tested : backends)
        for (const FilterSums sums : {FilterSums::AtWidths, FilterSums::AtNodes}) {
            const std::vector<double> found =
                energy(*tested.backend, s, grid, {.exclude_self = exclude_self, .sums = sums});
            REQUIRE(found.size() == expected.size());
            double worst = 0.0;
            double at = 0.0;
            for (std::size_t k = 0; k < grid.size(); ++k) {
                REQUIRE(std::isfinite(found[k]));
                const double error = std::fabs(found[k] / total - expected[k]);
                if (error <= worst) continue;
                worst = error;
                at = grid[k];
            }
            INFO(tested.name, sums == FilterSums::AtNodes ? " at nodes: " : " at widths: ", name, ": n ", s.n,
                 " d ", s.d, " c ", s.c, " worst at 1/delta ", at, " error ", worst);
            CHECK(worst <= 1e-5);
        }
}

inline void check_on_all_grids(const std::string& name, const Samples& s) {
    for (const bool exclude_self : {false, true}) {
        const std::string which = name + (exclude_self ? ", without self" : "");
        check_against_reference(which + ", even", s, even_grid(s, 0.0, 40.0, 35), exclude_self);
        check_against_reference(which + ", log", s, log_grid(s, 1e-3, 1e3, 9), exclude_self);
    }
}

}  // namespace deepfreq::tests
