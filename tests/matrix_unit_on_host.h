#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/cuda/half_bits.h"
#include "kernels/cuda/spectrum_products.h"
#include "kernels/cuda/spectrum_targets.h"

namespace deepfreq::tests {

/// Stands in for the matrix units (kernels/cuda/spectrum_matrix_unit.cuh): plain loops, which truncate as the
/// worst of them do. Published measurements (Fasi et al. 2021, doi:10.7717/peerj-cs.330;
/// Li et al. 2024, arXiv:2403.00232) have the 16 products, exact, and the sum before brought to the exponent
/// of the largest, cut off there, some with two or three bits more, and added. Here there are none more: every
/// addend is cut off to 24 bits of the largest, and the result again.
struct MatrixUnitOnHost {
    /// The products of a tile.
    class Products : public cuda::spectrum::ProductSums {
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
                        // Rows beyond the last: many where there are few.
                        if (is_zero(x, split_halves) || is_zero(y, split_halves)) continue;
                        float& sum = recent_[a][b][i];
                        sum = multiplied(sum, x + low_part, y);
                        sum = multiplied(sum, x, y + low_part);
                        sum = multiplied(sum, x, y);
                    }
        }
    };

    /// Weights times targets.
    template <int Count, int Groups>
    class TargetProducts : public cuda::spectrum::TargetSums<Count, Groups> {
      public:
        using cuda::spectrum::TargetSums<Count, Groups>::TargetSums;

        /// Adds the products at 16 columns from `column` on.
        void add(const float* distance, int column, const WeightChain& chain,
                 const cuda::spectrum::TargetTile& targets) {
            for (int half = 0; half < 2; ++half) {  // registers 0 and 1 are of one row, 2 and 3 of another
                std::uint16_t high[Count][cuda::fragments::depth], low[Count][cuda::fragments::depth];
                split_weights(distance, cuda::fragments::sum(this->lane_, 2 * half).row, column, chain, high,
                              low);
                for (int g = 0; g < Groups; ++g)
                    for (int i = 2 * half; i < 2 * half + 2; ++i) {
                        const int target = 8 * g + cuda::fragments::sum(this->lane_, i).column;
                        const std::uint16_t* const high_target = &targets.high[target][column];
                        const std::uint16_t* const low_target = &targets.low[target][column];
                        if (is_zero(high_target, cuda::fragments::depth) &&
                            is_zero(low_target, cuda::fragments::depth))
                            continue;
                        for (int k = 0; k < Count; ++k) {
                            float& sum = this->low_[g][k][i];
                            sum = multiplied(sum, low[k], high_target);
                            sum = multiplied(sum, high[k], low_target);
                            this->high_[g][k][i] += multiplied(0.0F, high[k], high_target);
                        }
                    }
            }
        }

      private:
        void split_weights(const float* distance, int row, int column, const WeightChain& chain,
                           std::uint16_t (&high)[Count][cuda::fragments::depth],
                           std::uint16_t (&low)[Count][cuda::fragments::depth]) const {
            using namespace cuda::spectrum;
            for (int j = 0; j < cuda::fragments::depth; ++j) {
                float weights[Count];
                make_weights<Count>(distance[distance_of(this->row_ + row, column + j)], chain, weights,
                                    weight_scale);
                for (int k = 0; k < Count; ++k) {
                    const SplitHalves halves = split(weights[k]);
                    high[k][j] = halves.high;
                    low[k][j] = halves.low;
                }
            }
        }
    };

    static bool is_zero(const std::uint16_t* halves, int count) {
        constexpr std::uint16_t none[cuda::spectrum::split_halves] = {};
        return std::memcmp(halves, none, static_cast<std::size_t>(count) * sizeof *halves) == 0;
    }

    /// sum + x.y of 16 halves each, as one instruction.
    static float multiplied(float sum, const std::uint16_t* x, const std::uint16_t* y) {
        double addend[cuda::fragments::depth + 1];
        double largest = std::fabs(static_cast<double>(sum));
        for (int k = 0; k < cuda::fragments::depth; ++k) {
            addend[k] =
                static_cast<double>(cuda::half_value(x[k])) * static_cast<double>(cuda::half_value(y[k]));
            largest = std::fmax(largest, std::fabs(addend[k]));
        }
        if (largest == 0.0) return 0.0F;
        addend[cuda::fragments::depth] = static_cast<double>(sum);
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
