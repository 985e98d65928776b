#pragma once

#include "kernels/cuda/spectrum_products.h"

namespace deepfreq::cuda::spectrum {

/// The products of a tile (spectrum_products.h) on the matrix units.
class MatrixUnit : public ProductSums {
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

  private:
    static_assert(chunk == 16, "the k of one matrix instruction");

    /// What ldmatrix loads into a lane.
    struct Registers {
        unsigned x[4];
    };

    static __device__ void load(Registers& to, unsigned address) {
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                     : "=r"(to.x[0]), "=r"(to.x[1]), "=r"(to.x[2]), "=r"(to.x[3])
                     : "r"(address)
                     : "memory");
    }

    /// sums += first second.
    static __device__ void multiply(float (&sums)[4], const Registers& first, const unsigned* second) {
#if __CUDA_ARCH__ >= 800
        asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
            "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
            : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
            : "r"(first.x[0]), "r"(first.x[1]), "r"(first.x[2]), "r"(first.x[3]), "r"(second[0]),
              "r"(second[1]));
#else  // the same in two steps of k = 8: the first half of the registers, then the second
        for (int half = 0; half < 2; ++half)
            asm("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 "
                "{%0, %1, %2, %3}, {%4, %5}, {%6}, {%0, %1, %2, %3};"
                : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
                : "r"(first.x[2 * half]), "r"(first.x[2 * half + 1]), "r"(second[half]));
#endif
    }
};

}  // namespace deepfreq::cuda::spectrum
