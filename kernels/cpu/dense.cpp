#include <algorithm>
#include <array>

#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/parts.h"
#include "kernels/cpu/vector_math.h"
#include "kernels/math.h"

namespace deepfreq {
namespace {

/// Columns that one thread sums at a time: their sums stay in the first-level cache.
constexpr std::int64_t column_block = 64;

/// y = activation(y + b), b added to every row.
template <Activation A>
void add_bias_and_activate(ConstTensor b, Tensor y) {
    const std::int64_t rows = y.rows();
    const std::int64_t columns = y.columns();
    const float* const bias = b.data;
#pragma omp parallel for schedule(static) if (y.elements() >= parallel_threshold)
    for (std::int64_t i = 0; i < rows; ++i) {
        float* const row = y.data + i * columns;
#pragma omp simd
        for (std::int64_t j = 0; j < columns; ++j) row[j] = math::activate<A>(row[j] + bias[j]);
    }
}

/// dz = dy activation'(z), in place of dy, and db = [db +] its column sums.
template <Activation A>
void activation_backward(ConstTensor y, Tensor dy, Tensor db, GradMode mode) {
    const std::int64_t rows = y.rows();
    const std::int64_t columns = y.columns();
#pragma omp parallel for schedule(static) if (y.elements() >= parallel_threshold)
    for (std::int64_t first = 0; first < columns; first += column_block) {
        const std::int64_t width = std::min(column_block, columns - first);
        std::array<double, column_block> block{};
        double* const sums = block.data();
        for (std::int64_t i = 0; i < rows; ++i) {
            const float* const out = y.data + i * columns + first;
            float* const grad = dy.data + i * columns + first;
#pragma omp simd
            for (std::int64_t j = 0; j < width; ++j) {
                const float dz = grad[j] * math::activation_slope<A>(out[j]);
                grad[j] = dz;
                sums[j] += static_cast<double>(dz);
            }
        }
        float* const target = db.data + first;
        for (std::int64_t j = 0; j < width; ++j) {
            const double before = mode == GradMode::Accumulate ? static_cast<double>(target[j]) : 0.0;
            target[j] = static_cast<float>(before + sums[j]);
        }
    }
}

}  // namespace

void CpuBackend::execute(const DenseForward& op) {
    gemm_({Transpose::No, Transpose::Yes, op.x.rows(), op.w.rows(), op.x.columns()}, op.x.data, op.w.data,
          op.y.data);
    math::with_activation(op.activation, [&]<Activation A> { add_bias_and_activate<A>(op.b, op.y); });
}

void CpuBackend::execute(const DenseBackward& op) {
    const std::int64_t n = op.x.rows();
    const std::int64_t in = op.w.columns();
    const std::int64_t out = op.w.rows();
    math::with_activation(op.activation,
                          [&]<Activation A> { activation_backward<A>(op.y, op.dy, op.db, op.mode); });
    const Tensor& dz = op.dy;
    if (op.dx) gemm_({Transpose::No, Transpose::No, n, in, out}, dz.data, op.w.data, op.dx.data);
    const bool add = op.mode == GradMode::Accumulate;
    gemm_({Transpose::Yes, Transpose::No, out, in, n, add}, dz.data, op.x.data, op.dw.data);
}

}  // namespace deepfreq
