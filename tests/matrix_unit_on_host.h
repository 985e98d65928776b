#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/cuda/half_bits.h"
#include "kernels/cuda/spectrum_products.h"

namespace deepfreq::tests {

/// The products of a tile (kernels/cuda/spectrum_products.h) with plain loops, truncated as matrix units do
/// at worst: published measurements (Fasi et al. 2021, doi:10.7717/peerj-cs.330; Li et al. 2024,
/// arXiv:2403.00232) have the 16 products, exact, and the sum before brought to the exponent of the largest,
/// cut off there, some with two or three bits more, and added. Here there are none more: every addend is cut
/// off to 24 bits of the largest, and the result again.
class MatrixUnitOnHost : public cuda::spectrum::ProductSums {
  public:
    using ProductSums::ProductSums;

    /// Adds the products of one staged chunk.
    void add(const std::uint16_t* stage) {
        using namespace cuda::spectrum;
        for (int a = 0; a < fragments_down; ++a)
            for (int b = 0; b < fragments_across; ++b)
                for (int i = 0; i < 4; ++i) {
                    const auto [row, column] = product_place(thread_, a, b, i);
                    const std::uint16_t* const x = stage + stage_of_row(row);
                    const std::uint16_t* const y = stage + stage_of_column(column);
                    if (is_zero(x) || is_zero(y)) continue;  // rows beyond the last: many where there are few
                    float& sum = recent_[a][b][i];
                    sum = multiplied(sum, x + low_part, y);
                    sum = multiplied(sum, x, y + low_part);
                    sum = multiplied(sum, x, y);
                }
    }

    /// Whether a row of a chunk is all zero.
    static bool is_zero(const std::uint16_t* split) {
        constexpr std::uint16_t none[cuda::spectrum::split_halves] = {};
        return std::memcmp(split, none, sizeof none) == 0;
    }

    /// sum + x.y of 16 halves each, as one instruction.
    static float multiplied(float sum, const std::uint16_t* x, const std::uint16_t* y) {
        double addend[cuda::spectrum::chunk + 1];
        double largest = std::fabs(static_cast<double>(sum));
        for (int k = 0; k < cuda::spectrum::chunk; ++k) {
            addend[k] =
                static_cast<double>(cuda::half_value(x[k])) * static_cast<double>(cuda::half_value(y[k]));
            largest = std::fmax(largest, std::fabs(addend[k]));
        }
        if (largest == 0.0) return 0.0F;
        addend[cuda::spectrum::chunk] = static_cast<double>(sum);
        const double unit = std::ldexp(1.0, std::ilogb(largest) - 23);  // of the last bit that is kept
        const double units = 1.0 / unit;
        double total = 0.0;
        for (const double x_k : addend) total += std::trunc(x_k * units);
        return truncated(total * unit);
    }

    /// The float next to x on the side of 0.
    static float truncated(double x) {
        const auto nearest = static_cast<float>(x);
        return std::fabs(static_cast<double>(nearest)) > std::fabs(x) ? std::nextafter(nearest, 0.0F)
                                                                      : nearest;
    }
};

}  // namespace deepfreq::tests
