#pragma once

#include <cuda_fp16.h>

#include <cstdint>

#include "kernels/cuda/spectrum_products.h"
#include "kernels/cuda/spectrum_targets.h"

namespace deepfreq::cuda::spectrum {

/// The instructions of the matrix units, as the lanes of a warp execute them together.
struct MatrixInstructions {
    /// A lane's share of the first factor, or of two second factors side by side.
    struct Registers {
        unsigned x[4];
    };

    /// ldmatrix.x4 from shared memory; `address` is the lane's.
    static __device__ void load(Registers& to, unsigned address) {
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                     : "=r"(to.x[0]), "=r"(to.x[1]), "=r"(to.x[2]), "=r"(to.x[3])
                     : "r"(address)
                     : "memory");
    }

    /// sums += first second. Volatile: all lanes must execute it together, so it must not move into a branch.
    static __device__ void multiply(float (&sums)[4], const Registers& first, const unsigned* second) {
#if __CUDA_ARCH__ >= 800
        asm volatile(
            "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
            "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
            : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
            : "r"(first.x[0]), "r"(first.x[1]), "r"(first.x[2]), "r"(first.x[3]), "r"(second[0]),
              "r"(second[1]));
#else  // the same in two steps of k = 8: the first half of the registers, then the second
        for (int half = 0; half < 2; ++half)
            asm volatile(
                "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 "
                "{%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
                : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                : "r"(first.x[2 * half]), "r"(first.x[2 * half + 1]), "r"(second[half]));
#endif
    }
};

/// The matrix units of the device, for kernels of the spectrum. The tests have MatrixUnitOnHost in its place.
struct MatrixUnit {
    /// The products of a tile (spectrum_products.h).
    class Products : public ProductSums, MatrixInstructions {
      public:
        using ProductSums::ProductSums;

        __device__ void add(const std::uint16_t* stage) {
            const auto base = static_cast<unsigned>(__cvta_generic_to_shared(stage));
            const auto load_at = [&](Registers& to, int offset) {
                load(to, base + static_cast<unsigned>(offset * sizeof(std::uint16_t)));
            };
            Registers hi_row[fragments_down];
            Registers lo_row[fragments_down];
            DEEPFREQ_UNROLL
            for (int a = 0; a < fragments_down; ++a) {
                load_at(hi_row[a], row_address(thread_, a));
                load_at(lo_row[a], row_address(thread_, a) + low_part);
            }
            DEEPFREQ_UNROLL
            for (int b = 0; b < fragments_across; b += 2) {
                Registers hi_columns;  // of two fragments side by side
                Registers lo_columns;
                load_at(hi_columns, column_address(thread_, b));
                load_at(lo_columns, column_address(thread_, b) + low_part);
                DEEPFREQ_UNROLL
                for (int a = 0; a < fragments_down; ++a) {
                    DEEPFREQ_UNROLL
                    for (int side = 0; side < 2; ++side) {
                        float(&sums)[4] = recent_[a][b + side];
                        multiply(sums, lo_row[a], hi_columns.x + 2 * side);
                        multiply(sums, hi_row[a], lo_columns.x + 2 * side);
                        multiply(sums, hi_row[a], hi_columns.x + 2 * side);
                    }
                }
            }
        }
    };

    /// Weights times targets (spectrum_targets.h).
    template <int Count, int Groups>
    class TargetProducts : public TargetSums<Count, Groups>, MatrixInstructions {
      public:
        using TargetSums<Count, Groups>::TargetSums;

        /// Adds the products at 16 columns from `column` on.
        __device__ void add(const float* distance, int column, const WeightChain& chain,
                            const TargetTile& targets) {
            Registers high[Count], low[Count];
            make_factors(distance, column, chain, high, low);
            DEEPFREQ_UNROLL
            for (int g = 0; g < Groups; ++g) {
                unsigned high_target[2], low_target[2];
                DEEPFREQ_UNROLL
                for (int i = 0; i < 2; ++i) {
                    const auto [depth, target] = fragments::second_factor(this->lane_, i, 0);
                    high_target[i] = two_halves(&targets.high[8 * g + target][column + depth]);
                    low_target[i] = two_halves(&targets.low[8 * g + target][column + depth]);
                }
                DEEPFREQ_UNROLL
                for (int node = 0; node < Count; ++node) {
                    multiply(this->low_[g][node], low[node], high_target);
                    multiply(this->low_[g][node], high[node], low_target);
                    float recent[4] = {};
                    multiply(recent, high[node], high_target);
                    DEEPFREQ_UNROLL
                    for (int i = 0; i < 4; ++i) this->high_[g][node][i] += recent[i];
                }
            }
        }

      private:
        /// The lane's weights at all nodes, as by split(), two at a time.
        __device__ void make_factors(const float* distance, int column, const WeightChain& chain,
                                     Registers (&high)[Count], Registers (&low)[Count]) const {
            DEEPFREQ_UNROLL
            for (int i = 0; i < 4; ++i) {
                float weights[2][Count];
                DEEPFREQ_UNROLL
                for (int h = 0; h < 2; ++h) {
                    const auto [row, depth] = fragments::first_factor(this->lane_, i, h);
                    make_weights<Count>(distance[distance_of(this->row_ + row, column + depth)], chain,
                                        weights[h], weight_scale);
                }
                DEEPFREQ_UNROLL
                for (int node = 0; node < Count; ++node) {
                    const float first = weights[0][node], second = weights[1][node];
                    const __half2 both = __floats2half2_rn(first, second);
                    const float2 rounded = __half22float2(both);
                    high[node].x[i] = bits_of(both);
                    low[node].x[i] = bits_of(
                        __floats2half2_rn((first - rounded.x) * low_scale, (second - rounded.y) * low_scale));
                }
            }
        }
        static __device__ unsigned bits_of(const __half2& halves) {
            return *reinterpret_cast<const unsigned*>(&halves);
        }
        /// Two neighbours, on 4 bytes.
        static __device__ unsigned two_halves(const std::uint16_t* first) {
            return *reinterpret_cast<const unsigned*>(first);
        }
    };
};

}  // namespace deepfreq::cuda::spectrum
