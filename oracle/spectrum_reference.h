#pragma once

#include <cstdint>
#include <vector>

namespace deepfreq::reference {

/// @name Low Frequency Ratio of S = {(x_i, y_i)}, x[n,d] and y[n,c]
/// Eqs. 3 to 5 as naive loops in double, sharing no code with any backend. exclude_self leaves i = j out of
/// both sums of eq. 4; a row without another adds nothing then.
/// @{

/// Sum over these rows i of |y_low_i|^2 for each filter width.
std::vector<double> low_frequency_energy(const std::vector<float>& x, const std::vector<float>& y,
                                         std::int64_t n, const std::vector<double>& inv_delta,
                                         bool exclude_self, const std::vector<std::int64_t>& rows);

/// The same over all rows, as a share of sum_i |y_i|^2.
std::vector<double> low_frequency_ratio(const std::vector<float>& x, const std::vector<float>& y,
                                        std::int64_t n, const std::vector<double>& inv_delta,
                                        bool exclude_self);

/// @}

}  // namespace deepfreq::reference
