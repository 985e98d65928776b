#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cuda/spectrum_driver.h"
#include "tests/host_device.h"
#include "tests/spectrum_samples.h"

// The CUDA backend's spectrum on the host, as spectrum_samples.h has it on a backend.

namespace deepfreq::tests {

inline std::vector<double> energy(HostDevice& device, const Samples& s, const Grid& grid,
                                  const LowFrequencyParams& params = {}) {
    return cuda::spectrum::LowFrequencyEnergy<HostDevice>(
               device, {{s.x.data(), {s.n, s.d}}, {s.y.data(), {s.n, s.c}}, grid}, params)
        .compute();
}

/// Energies of listed rows, [rows][widths]. If none is listed, of all, class by class.
inline std::vector<double> row_energies(HostDevice& device, const Samples& s, const Grid& grid,
                                        std::span<const std::int64_t> rows,
                                        const LowFrequencyParams& params = {}) {
    return cuda::spectrum::LowFrequencyEnergy<HostDevice>(
               device, {{s.x.data(), {s.n, s.d}}, {s.y.data(), {s.n, s.c}}, grid}, params, rows)
        .compute_rows();
}

inline double worst_difference(const std::vector<double>& a, const std::vector<double>& b) {
    REQUIRE(a.size() == b.size());
    double worst = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        REQUIRE(std::isfinite(a[i]));
        worst = std::max(worst, std::fabs(a[i] - b[i]));
    }
    return worst;
}

}  // namespace deepfreq::tests
