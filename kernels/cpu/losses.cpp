#include <cassert>
#include <cmath>

#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/parts.h"
#include "kernels/cpu/vector_math.h"

namespace deepfreq {
namespace {

double& sum_of_step(TensorView<double> sums, TensorView<const StepState> state) {
    assert(state.data->step >= 0 && state.data->step < sums.elements());
    return sums.data[state.data->step];
}

/// Sum of (p - t)^2 over count elements; writes scale (p - t) to dp unless it is null.
double squared_errors(const float* p, const float* t, std::int64_t count, double scale, float* dp) {
    double sum = 0.0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < count; ++i) {
        const double error = static_cast<double>(p[i]) - static_cast<double>(t[i]);
        sum += error * error;
    }
    if (dp == nullptr) return sum;
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i)
        dp[i] = static_cast<float>(scale * (static_cast<double>(p[i]) - static_cast<double>(t[i])));
    return sum;
}

/// The largest of a row of logits, and the sum of exp(z - largest), in which no exp overflows.
struct Exponentials {
    double top, sum;
};

Exponentials exponentials(const float* z, std::int64_t c) {
    float largest = z[0];
    for (std::int64_t j = 1; j < c; ++j) largest = z[j] > largest ? z[j] : largest;
    const auto top = static_cast<double>(largest);
    double sum = 0.0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t j = 0; j < c; ++j) sum += std::exp(static_cast<double>(z[j]) - top);
    return {top, sum};
}

/// Cross-entropy of one row of c logits z against t; writes (softmax(z) - t) scale to dz unless it is null.
/// A NaN logit makes all of it NaN.
double row_cross_entropy(const float* z, const float* t, std::int64_t c, double scale, float* dz) {
    const Exponentials of_row = exponentials(z, c);
    const double top = of_row.top, sum = of_row.sum;
    const double log_sum = std::log(sum);
    double loss = 0.0;
#pragma omp simd reduction(+ : loss)
    for (std::int64_t j = 0; j < c; ++j)
        loss += static_cast<double>(t[j]) * (log_sum - (static_cast<double>(z[j]) - top));

    if (dz == nullptr) return loss;
#pragma omp simd
    for (std::int64_t j = 0; j < c; ++j) {
        const double p = std::exp(static_cast<double>(z[j]) - top) / sum;
        dz[j] = static_cast<float>((p - static_cast<double>(t[j])) * scale);
    }
    return loss;
}

/// p = softmax(z) over c elements; p may be z.
void softmax_of_row(const float* z, std::int64_t c, float* p) {
    const Exponentials of_row = exponentials(z, c);
    const double top = of_row.top, sum = of_row.sum;
    const double scale = 1.0 / sum;
    for (std::int64_t j = 0; j < c; ++j)
        p[j] = static_cast<float>(std::exp(static_cast<double>(z[j]) - top) * scale);
}

/// Index of the largest of c elements; the first one in case of ties.
std::int64_t index_of_largest(const float* p, std::int64_t c) {
    std::int64_t best = 0;
    for (std::int64_t j = 1; j < c; ++j)
        if (p[j] > p[best]) best = j;
    return best;
}

}  // namespace

void CpuBackend::execute(const MeanSquaredError& op) {
    const std::int64_t count = op.p.elements();
    const double scale = 2.0 / static_cast<double>(count);
    const auto part_sum = [&](std::int64_t first, std::int64_t last) {
        return squared_errors(op.p.data + first, op.t.data + first, last - first, scale,
                              op.dp ? op.dp.data + first : nullptr);
    };
    sum_of_step(op.sums, op.state) +=
        sum_in_fixed_order(count, count, part_sum) / static_cast<double>(op.p.columns());
}

void CpuBackend::execute(const SoftmaxCrossEntropy& op) {
    const std::int64_t c = op.z.columns();
    const double scale = 1.0 / static_cast<double>(op.z.rows());
    const auto part_sum = [&](std::int64_t first, std::int64_t last) {
        double sum = 0.0;
        for (std::int64_t i = first; i < last; ++i)
            sum += row_cross_entropy(op.z.data + i * c, op.t.data + i * c, c, scale,
                                     op.dz ? op.dz.data + i * c : nullptr);
        return sum;
    };
    sum_of_step(op.sums, op.state) += sum_in_fixed_order(op.z.rows(), op.z.elements(), part_sum);
}

void CpuBackend::execute(const Softmax& op) {
    const std::int64_t c = op.z.columns();
#pragma omp parallel for schedule(static) if (op.z.elements() >= parallel_threshold)
    for (std::int64_t i = 0; i < op.z.rows(); ++i) softmax_of_row(op.z.data + i * c, c, op.p.data + i * c);
}

void CpuBackend::execute(const CountCorrect& op) {
    const std::int64_t c = op.p.columns();
    std::int64_t count = 0;
#pragma omp parallel for schedule(static) reduction(+ : count) if (op.p.elements() >= parallel_threshold)
    for (std::int64_t i = 0; i < op.p.rows(); ++i)
        if (index_of_largest(op.p.data + i * c, c) == op.labels.data[i]) ++count;
    op.correct.data[0] += count;
}

}  // namespace deepfreq
