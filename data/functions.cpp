#include "data/functions.h"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "common/error.h"

namespace deepfreq {
namespace {

template <class Function>
RegressionSet sample(std::string name, const Grid& grid, Function f) {
    if (grid.n < 2) throw InputError("{}: {} points were asked for, at least 2 expected", name, grid.n);
    if (!std::isfinite(grid.low) || !std::isfinite(grid.high) || grid.low >= grid.high)
        throw InputError("{}: range [{}, {}] found, two finite numbers low < high expected", name, grid.low,
                         grid.high);
    RegressionSet set{std::move(name), grid.n, 1, {}, {}};
    const double step = 1.0 / static_cast<double>(grid.n - 1);
    for (std::int64_t i = 0; i < grid.n; ++i) {
        const double x = std::lerp(grid.low, grid.high, static_cast<double>(i) * step);
        set.inputs.push_back(static_cast<float>(x));
        set.targets.push_back(static_cast<float>(f(x)));
    }
    return set;
}

}  // namespace

RegressionSet sample_sin_k_pi(double k, const Grid& grid) {
    return sample(fmt::format("sin({} pi x)", k), grid,
                  [k](double x) { return std::sin(k * std::numbers::pi * x); });
}

RegressionSet sample_cos_k(double k, const Grid& grid) {
    return sample(fmt::format("cos({} x)", k), grid, [k](double x) { return std::cos(k * x); });
}

RegressionSet sample_cos3_plus_cos5(const Grid& grid) {
    return sample("cos(3 x) + cos(5 x)", grid,
                  [](double x) { return std::cos(3.0 * x) + std::cos(5.0 * x); });
}

RegressionSet sample_parity(std::int64_t bits) {
    constexpr std::int64_t most_bits = 20;  // 84 MB of inputs
    if (bits < 1 || bits > most_bits)
        throw InputError("parity: {} bits were asked for, 1 to {} expected", bits, most_bits);
    RegressionSet set{fmt::format("parity of {} bits", bits), std::int64_t{1} << bits, bits, {}, {}};
    for (std::int64_t i = 0; i < set.samples; ++i) {
        float product = 1.0F;
        for (std::int64_t j = 0; j < bits; ++j) {
            const float coordinate = (i >> j & 1) != 0 ? -1.0F : 1.0F;
            set.inputs.push_back(coordinate);
            product *= coordinate;
        }
        set.targets.push_back(product);
    }
    return set;
}

}  // namespace deepfreq
