#pragma once

#include <cstdint>

#include "kernels/cuda/backend_on.h"
#include "kernels/cuda/block.h"
#include "kernels/cuda/launch_shape.h"
#include "kernels/cuda/write_strided.h"
#include "kernels/gemm_task.h"
#include "kernels/math.h"

namespace deepfreq::cuda {

/// y[i] = activation(y[i] + b[column]).
template <Activation A>
struct AddBiasAndActivate {
    const float* b;
    float* y;
    std::int64_t columns;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        y[i] = math::activate<A>(y[i] + b[i % columns]);
    }
};

/// dz = dy activation'(z) in place of dy[n, columns], and db = [db +] its column sums in double. Each block
/// has 8 columns (32 bytes, the smallest memory transaction) with 32 threads per column, each taking every
/// 32nd row. Their sums are added as a tree.
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

template <class Device>
void BackendOn<Device>::execute(const DenseForward& op) {
    const GemmTask product{Transpose::No, Transpose::Yes, op.x.rows(), op.w.rows(), op.x.columns()};
    if (op.activation == Activation::Identity &&
        device_.multiply_and_add_bias(product, op.x.data, op.w.data, op.y.data, op.b.data))
        return;
    device_.multiply(product, op.x.data, op.w.data, op.y.data);
    // cuBLASLt could apply ReLU too, but does not promise that NaN stays NaN.
    math::with_activation(op.activation, [&]<Activation A> {
        device_.each(op.y.elements(), AddBiasAndActivate<A>{op.b.data, op.y.data, op.y.columns()});
    });
}

template <class Device>
void BackendOn<Device>::execute(const DenseBackward& op) {
    const std::int64_t n = op.x.rows();
    const std::int64_t in = op.w.columns();
    const std::int64_t out = op.w.rows();
    math::with_activation(op.activation, [&]<Activation A> {
        using Kernel = ActivationBackward<A>;
        device_.blocks(blocks_for(out, Kernel::block_columns),
                       Kernel{op.y.data, op.dy.data, op.db.data, n, out, op.mode});
    });
    const Tensor& dz = op.dy;
    const bool add = op.mode == GradMode::Accumulate;
    const auto queue_dw = [&](auto& device) {
        device.multiply({Transpose::Yes, Transpose::No, out, in, n, add}, dz.data, op.x.data, op.dw.data);
    };
    const auto queue_dx = [&] {
        device_.multiply({Transpose::No, Transpose::No, n, in, out}, dz.data, op.w.data, op.dx.data);
    };
    if (!op.dx)
        queue_dw(device_);
    else  // neither product alone fills a large GPU
        device_.side_by_side(queue_dw, queue_dx);
}

}  // namespace deepfreq::cuda
