#pragma once

#include <cstdint>

#include "kernels/cuda/block.h"
#include "kernels/cuda/write_strided.h"
#include "kernels/math.h"

namespace deepfreq::cuda {

/// y[i] = sigma(y[i] + b[column]).
template <Activation A>
struct AddBiasAndActivate {
    const float* b;
    float* y;
    std::int64_t columns;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        y[i] = math::activate<A>(y[i] + b[i % columns]);
    }
};

/// dz = dy sigma'(z) in place of dy[n, columns], and db = [db +] its column sums in double. A block has 8
/// columns (32 bytes: what memory moves at least), each with 32 threads that take every 32nd row; their sums
/// are added as a tree.
template <Activation A>
struct ActivationBackward {
    static constexpr int block_columns = 8;
    static constexpr int lanes = 32;
    static constexpr int threads = block_columns * lanes;
    struct Shared {
        double sum[lanes][block_columns];
    };

    const float* y;
    float* dy;
    float* db;
    std::int64_t n, columns;
    GradMode mode;

    template <class Block>
    DEEPFREQ_HOST_DEVICE void operator()(Block& block, Shared& shared) const {
        const int in_block = block.thread() % block_columns;
        const int lane = block.thread() / block_columns;
        const std::int64_t column = block.index() * block_columns + in_block;
        double sum = 0.0;
        const auto dz = [&](std::int64_t i) {
            const float value = dy[i] * math::activation_slope<A>(y[i]);
            sum += static_cast<double>(value);
            return value;
        };
        const std::int64_t end = column < columns ? n * columns : 0;
        write_strided(dy, lane * columns + column, end, lanes * columns, dz);
        shared.sum[lane][in_block] = sum;
        for (int width = lanes / 2; width > 0; width /= 2) {
            block.barrier();
            if (lane < width) shared.sum[lane][in_block] += shared.sum[lane + width][in_block];
        }
        if (lane != 0 || column >= columns) return;
        const double before = mode == GradMode::Accumulate ? static_cast<double>(db[column]) : 0.0;
        db[column] = static_cast<float>(before + shared.sum[0][in_block]);
    }
};

}  // namespace deepfreq::cuda
