#pragma once

#include <cstdint>
#include <vector>

namespace deepfreq::reference {

/// Low Frequency Ratio of S = {(x_i, y_i)}, x[n,d] and y[n,c], for each filter width: eqs. 3 to 5 as naive
/// loops in double, sharing no code with any backend. exclude_self leaves i = j out of both sums of eq. 4; a
/// row without another adds nothing then.
std::vector<double> low_frequency_ratio(const std::vector<float>& x, const std::vector<float>& y,
                                        std::int64_t n, const std::vector<double>& inv_delta,
                                        bool exclude_self);

}  // namespace deepfreq::reference
