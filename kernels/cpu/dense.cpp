#include <algorithm>
#include <array>

#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/parts.h"
#include "kernels/cpu/vector_math.h"
#include "kernels/math.h"

namespace deepfreq {
namespace {

/// Columns one thread sums at a time: their sums stay in the nearest cache.
constexpr std::int64_t column_block = 64;

/// y = sigma(y + b), b added to every row.
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

/// dz = dy sigma'(z), in place of dy, and db = [db +] its column sums.
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

void CpuKernels::do_dense_forward(ConstTensor x, ConstTensor w, ConstTensor b, Activation sigma, Tensor y) {
    gemm_({Form::Plain, Form::Transposed, x.rows(), w.rows(), x.columns()}, x.data, w.data, y.data);
    math::with_activation(sigma, [&]<Activation A> { add_bias_and_activate<A>(b, y); });
}

void CpuKernels::do_dense_backward(ConstTensor x, ConstTensor w, ConstTensor y, Activation sigma, Tensor dy,
                                   Tensor dx, Tensor dw, Tensor db, GradMode mode) {
    const std::int64_t n = x.rows();
    const std::int64_t in = w.columns();
    const std::int64_t out = w.rows();
    math::with_activation(sigma, [&]<Activation A> { activation_backward<A>(y, dy, db, mode); });
    const Tensor& dz = dy;
    if (dx) gemm_({Form::Plain, Form::Plain, n, in, out}, dz.data, w.data, dx.data);
    const bool add = mode == GradMode::Accumulate;
    gemm_({Form::Transposed, Form::Plain, out, in, n, add}, dz.data, x.data, dw.data);
}

}  // namespace deepfreq
