// Holds kernels/cuda/matrix_fragments.h against CuTe's own description of the same instructions. A program of
// its own, built and run by tools/check_fragments: only it needs CUTLASS.
#include <cstdio>
#include <cute/atom/copy_traits_sm75.hpp>
#include <cute/atom/mma_traits_sm80.hpp>

#include "kernels/cuda/matrix_fragments.h"

namespace {

using namespace deepfreq::cuda;
using Mma = cute::MMA_Traits<cute::SM80_16x8x16_F32F16F16F32_TN>;
using MmaOf8 = cute::MMA_Traits<cute::SM80_16x8x8_F32F16F16F32_TN>;
using Load = cute::Copy_Traits<cute::SM75_U32x4_LDSM_N>;

int wrong = 0;

void check(const char* what, int lane, int i, int ours, int cutes) {
    if (ours == cutes) return;
    std::printf("%s: lane %d, element %d: %d, expected CuTe's %d\n", what, lane, i, ours, cutes);
    ++wrong;
}

/// CuTe numbers the elements of the factors [16][k] and [k][8], and of the sum [16][8], down their first axis
/// of 16 or 8.
void check_fragments(int lane) {
    for (int i = 0; i < 4; ++i) {
        const auto sum = fragments::sum(lane, i);
        check("sum", lane, i, sum.row + 16 * sum.column, Mma::CLayout{}(lane, i));
        check("sum of k = 8", lane, i, sum.row + 16 * sum.column, MmaOf8::CLayout{}(lane, i));
        for (int h = 0; h < 2; ++h) {
            const auto first = fragments::first_factor(lane, i, h);
            check("first factor", lane, 2 * i + h, first.row + 16 * first.column,
                  Mma::ALayout{}(lane, 2 * i + h));
            // For k = 8 the first two registers are the first half of k, the others the second.
            check("first factor of k = 8", lane, 2 * i + h, first.row + 16 * (first.column - i / 2 * 8),
                  MmaOf8::ALayout{}(lane, 2 * (i % 2) + h));
        }
    }
    for (int i = 0; i < 2; ++i)
        for (int h = 0; h < 2; ++h) {
            const auto second = fragments::second_factor(lane, i, h);
            check("second factor", lane, 2 * i + h, second.column + 8 * second.row,
                  Mma::BLayout{}(lane, 2 * i + h));
            check("second factor of k = 8", lane, 2 * i + h, second.column + 8 * (second.row - i * 8),
                  MmaOf8::BLayout{}(lane, h));
        }
}

/// CuTe numbers the bits of the four matrices: by the lane that points at their row, and where they arrive.
void check_load(int lane) {
    for (int m = 0; m < 4; ++m)
        for (int h = 0; h < 2; ++h) {
            const auto from = fragments::loaded(lane, m, h);
            check("ldmatrix", lane, 2 * m + h, Load::SrcLayout{}(from.row, from.column * 16),
                  Load::DstLayout{}(lane, (2 * m + h) * 16));
        }
}

}  // namespace

int main() {
    for (int lane = 0; lane < 32; ++lane) {
        check_fragments(lane);
        check_load(lane);
    }
    if (wrong == 0) std::puts("kernels/cuda/matrix_fragments.h has CuTe's layouts");
    return wrong == 0 ? 0 : 1;
}
