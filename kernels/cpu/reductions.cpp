#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <vector>

#include "kernels/cpu/parts.h"
#include "kernels/cpu/spectrum_backend.h"

namespace deepfreq {
namespace {

/// For each column of rows [first, last) of x: largest[j] = max(largest[j], |x_ij|). NaN is ignored.
void update_largest(ConstTensor x, std::int64_t first, std::int64_t last, float* largest) {
    const std::int64_t columns = x.columns();
    for (std::int64_t i = first; i < last; ++i) {
        const float* const row = x.data + i * columns;
#pragma omp simd
        for (std::int64_t j = 0; j < columns; ++j) {
            const float magnitude = std::fabs(row[j]);
            largest[j] = magnitude > largest[j] ? magnitude : largest[j];
        }
    }
}

/// Adds each column of rows [first, last) of x to sums[j].
void add_rows(ConstTensor x, std::int64_t first, std::int64_t last, double* sums) {
    const std::int64_t columns = x.columns();
    for (std::int64_t i = first; i < last; ++i) {
        const float* const row = x.data + i * columns;
#pragma omp simd
        for (std::int64_t j = 0; j < columns; ++j) sums[j] += static_cast<double>(row[j]);
    }
}

bool any_non_finite(const float* x, std::int64_t count) {
    constexpr std::uint32_t exponent = 0x7F800000;  // all ones for NaN and infinity, and only for them
    std::uint32_t found = 0;
#pragma omp simd reduction(| : found)
    for (std::int64_t i = 0; i < count; ++i)
        found |= (std::bit_cast<std::uint32_t>(x[i]) & exponent) == exponent ? 1U : 0U;
    return found != 0;
}

/// Index of the first NaN or infinity in [first, last), or -1. Checks whole blocks first, then searches the
/// one found.
std::int64_t find_non_finite(const float* x, std::int64_t first, std::int64_t last) {
    constexpr std::int64_t block = 1024;
    for (std::int64_t start = first; start < last; start += block) {
        const std::int64_t end = std::min(start + block, last);
        if (!any_non_finite(x + start, end - start)) continue;
        return std::find_if_not(x + start, x + end, [](float value) { return std::isfinite(value); }) - x;
    }
    return -1;
}

}  // namespace

void CpuSpectrumBackend::execute(const CentreColumns& op) {
    const std::int64_t columns = op.x.columns();
    std::vector<double> of_part(static_cast<std::size_t>(part_count * columns), 0.0);
    for_each_part(op.x.rows(), op.x.elements(), [&](int part, std::int64_t first, std::int64_t last) {
        add_rows(op.x, first, last, of_part.data() + part * columns);
    });
    std::vector<float> mean(static_cast<std::size_t>(columns));
    for (std::int64_t j = 0; j < columns; ++j) {
        double sum = 0.0;
        for (int part = 0; part < part_count; ++part)
            sum += of_part[static_cast<std::size_t>(part * columns + j)];
        mean[static_cast<std::size_t>(j)] = static_cast<float>(sum / static_cast<double>(op.x.rows()));
    }

    const float* const less = mean.data();
#pragma omp parallel for schedule(static) if (op.x.elements() >= parallel_threshold)
    for (std::int64_t i = 0; i < op.x.rows(); ++i) {
        float* const row = op.x.data + i * columns;
#pragma omp simd
        for (std::int64_t j = 0; j < columns; ++j) row[j] -= less[j];
    }
}

void CpuSpectrumBackend::execute(const ScaleColumnsByMaxAbs& op) {
    const std::int64_t columns = op.x.columns();
    std::vector<float> of_part(static_cast<std::size_t>(part_count * columns), 0.0F);
    for_each_part(op.x.rows(), op.x.elements(), [&](int part, std::int64_t first, std::int64_t last) {
        update_largest(op.x, first, last, of_part.data() + part * columns);
    });
    std::vector<float> divisor(static_cast<std::size_t>(columns), 0.0F);
    update_largest({of_part.data(), {part_count, columns}}, 0, part_count, divisor.data());
    std::replace(divisor.begin(), divisor.end(), 0.0F, 1.0F);

    const float* const by = divisor.data();
#pragma omp parallel for schedule(static) if (op.x.elements() >= parallel_threshold)
    for (std::int64_t i = 0; i < op.x.rows(); ++i) {
        float* const row = op.x.data + i * columns;
#pragma omp simd
        for (std::int64_t j = 0; j < columns; ++j) row[j] /= by[j];
    }
}

double CpuSpectrumBackend::execute(const SumOfSquares& op) {
    return sum_in_fixed_order(op.x.elements(), op.x.elements(), [&](std::int64_t first, std::int64_t last) {
        const std::size_t columns = op.scale.factor.size();
        if (columns == 0) return squares(op.x.data + first, last - first);
        std::vector<float> scaled(static_cast<std::size_t>(last - first));
        std::size_t column = static_cast<std::size_t>(first) % columns;
        for (std::size_t i = 0; i < scaled.size(); ++i) {
            scaled[i] = op.scale.scaled(column, op.x.data[first + static_cast<std::int64_t>(i)]);
            if (++column == columns) column = 0;
        }
        return squares(scaled.data(), last - first);
    });
}

std::optional<std::int64_t> CpuSpectrumBackend::execute(const FirstNonFinite& op) {
    std::array<std::int64_t, part_count> found{};
    for_each_part(op.x.elements(), op.x.elements(), [&](int part, std::int64_t first, std::int64_t last) {
        found[static_cast<std::size_t>(part)] = find_non_finite(op.x.data, first, last);
    });
    const auto hit = std::find_if(found.begin(), found.end(), [](std::int64_t index) { return index >= 0; });
    return hit == found.end() ? std::nullopt : std::optional(*hit);
}

}  // namespace deepfreq
