#pragma once

#include <mma.h>

#include "kernels/cuda/spectrum_tile.h"

namespace deepfreq::cuda::spectrum {

/// The products of a tile (ScalarProducts in spectrum_distances.h) on the matrix units.
class MatrixUnit {
  public:
    __device__ explicit MatrixUnit(int thread) : warp_(thread / 32) {
        DEEPFREQ_UNROLL
        for (int f = 0; f < fragments; ++f) {
            nvcuda::wmma::fill_fragment(recent_[f], 0.0F);
            nvcuda::wmma::fill_fragment(product_[f], 0.0F);
        }
    }

    __device__ void add(const std::uint16_t* stage) {
        const auto* const halves = reinterpret_cast<const __half*>(stage);
        Rows hi_row[fragments_down];
        Rows lo_row[fragments_down];
        DEEPFREQ_UNROLL
        for (int a = 0; a < fragments_down; ++a) {
            const __half* const row = halves + stage_of_row(fragment_row(warp_, a));
            nvcuda::wmma::load_matrix_sync(hi_row[a], row, stage_stride);
            nvcuda::wmma::load_matrix_sync(lo_row[a], row + low_part, stage_stride);
        }
        DEEPFREQ_UNROLL
        for (int b = 0; b < fragments_across; ++b) {
            const __half* const column = halves + stage_of_column(fragment_column(b));
            Columns hi_column;
            Columns lo_column;
            nvcuda::wmma::load_matrix_sync(hi_column, column, stage_stride);
            nvcuda::wmma::load_matrix_sync(lo_column, column + low_part, stage_stride);
            DEEPFREQ_UNROLL
            for (int a = 0; a < fragments_down; ++a) {
                Sums& sums = recent_[a * fragments_across + b];
                nvcuda::wmma::mma_sync(sums, lo_row[a], hi_column, sums);
                nvcuda::wmma::mma_sync(sums, hi_row[a], lo_column, sums);
                nvcuda::wmma::mma_sync(sums, hi_row[a], hi_column, sums);
            }
        }
    }

    __device__ void collect() {
        DEEPFREQ_UNROLL
        for (int f = 0; f < fragments; ++f) {
            DEEPFREQ_UNROLL
            for (int e = 0; e < Sums::num_elements; ++e) {
                product_[f].x[e] += recent_[f].x[e];
                recent_[f].x[e] = 0.0F;
            }
        }
    }

    __device__ void store(float* distance) const {
        DEEPFREQ_UNROLL
        for (int f = 0; f < fragments; ++f) {
            const int row = fragment_row(warp_, f / fragments_across);
            const int column = fragment_column(f % fragments_across);
            nvcuda::wmma::store_matrix_sync(distance + distance_of(row, column), product_[f], distance_stride,
                                            nvcuda::wmma::mem_col_major);
        }
    }

  private:
    static_assert(fragment == 16 && chunk == 16, "the shape of one matrix instruction");
    using Rows = nvcuda::wmma::fragment<nvcuda::wmma::matrix_a, 16, 16, 16, __half, nvcuda::wmma::row_major>;
    using Columns =
        nvcuda::wmma::fragment<nvcuda::wmma::matrix_b, 16, 16, 16, __half, nvcuda::wmma::col_major>;
    using Sums = nvcuda::wmma::fragment<nvcuda::wmma::accumulator, 16, 16, 16, float>;

    static constexpr int fragments = fragments_down * fragments_across;

    int warp_;
    Sums recent_[fragments];   ///< summed by the matrix unit, which truncates
    Sums product_[fragments];  ///< summed by collect(), which rounds
};

}  // namespace deepfreq::cuda::spectrum
