#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/cuda/losses_kernels.h"
#include "kernels/cuda/spectrum_backend_on.h"

namespace deepfreq::cuda {

/// largest[part][column] = largest |x_ij| of one part of the rows of x[n, columns]; NaN is ignored.
struct ColumnMaxima {
    const float* x;
    std::int64_t n, columns, parts;
    float* largest;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        const std::int64_t part = i / columns;
        const std::int64_t column = i % columns;
        float found = 0.0F;
        for (std::int64_t row = n * part / parts; row < n * (part + 1) / parts; ++row) {
            const float magnitude = std::fabs(x[row * columns + column]);
            found = magnitude > found ? magnitude : found;
        }
        largest[i] = found;
    }
};

/// of_column[column] = the largest over its parts.
struct MaximumOfParts {
    const float* largest;
    std::int64_t columns, parts;
    float* of_column;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t column) const {
        float found = 0.0F;
        for (std::int64_t part = 0; part < parts; ++part) {
            const float value = largest[part * columns + column];
            found = value > found ? value : found;
        }
        of_column[column] = found;
    }
};

/// x[i] /= divisor[column]; a column whose divisor is 0 stays unchanged.
struct DivideColumns {
    float* x;
    const float* divisor;
    std::int64_t columns;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        const float by = divisor[i % columns];
        if (by > 0.0F) x[i] /= by;
    }
};

/// partial[part][k] = sum of column k of x[n,d] over one part of the rows; i = part * d + k.
struct ColumnPartialSums {
    const float* x;
    std::int64_t n, d, parts;
    double* partial;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        const std::int64_t part = i / d;
        double sum = 0.0;
        for (std::int64_t row = n * part / parts; row < n * (part + 1) / parts; ++row)
            sum += static_cast<double>(x[row * d + i % d]);
        partial[i] = sum;
    }
};

/// mean[k] = the sum of its parts, added in order, divided by n.
struct ColumnMeans {
    const double* partial;
    std::int64_t n, d, parts;
    double* mean;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t k) const {
        double sum = 0.0;
        for (std::int64_t part = 0; part < parts; ++part) sum += partial[part * d + k];
        mean[k] = sum / static_cast<double>(n);
    }
};

/// x[i] -= mean[column], rounded to float32: a constant column becomes 0.
struct SubtractFromColumns {
    float* x;
    const double* mean;
    std::int64_t columns;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        x[i] -= static_cast<float>(mean[i % columns]);
    }
};

/// partial[block] = sum of a block's share of x^2, in double.
struct SquareSums {
    static constexpr int threads = loss_threads;
    using Shared = LossTerms;

    const float* x;
    std::int64_t count;
    double* partial;

    template <class Block>
    DEEPFREQ_HOST_DEVICE void operator()(Block& block, Shared& shared) const {
        double mine = 0.0;
        for (std::int64_t i = block.index() * threads + block.thread(); i < count;
             i += block.blocks() * threads)
            mine += static_cast<double>(x[i]) * static_cast<double>(x[i]);
        const double sum = block_sum<threads>(block, shared.term, mine);
        if (block.thread() == 0) partial[block.index()] = sum;
    }
};

/// first[t] = the first i among t, t + takers, … at which x[i] is NaN or infinite, or count.
struct FindNonFinite {
    const float* x;
    std::int64_t count, takers;
    std::int64_t* first;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t t) const {
        std::int64_t i = t;
        // A difference from itself is 0 for finite numbers only.
        while (i < count && x[i] - x[i] == 0.0F) i += takers;
        first[t] = i < count ? i : count;
    }
};

/// least[t] = smallest of from[t], from[t + takers], ….
struct Least {
    const std::int64_t* from;
    std::int64_t count, takers;
    std::int64_t* least;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t t) const {
        std::int64_t found = from[t];
        for (std::int64_t i = t + takers; i < count; i += takers) found = from[i] < found ? from[i] : found;
        least[t] = found;
    }
};

/// mean[columns] of x[n, columns], in double.
template <class Device>
void column_means(Device& device, const float* x, std::int64_t n, std::int64_t columns, double* mean) {
    const std::int64_t parts = std::min<std::int64_t>(n, 256);
    const auto partial = device.template take<double>(parts * columns);
    device.each(parts * columns, ColumnPartialSums{x, n, columns, parts, partial.data()});
    device.each(columns, ColumnMeans{partial.data(), n, columns, parts, mean});
}

/// to[i] = element i of x[n,d], scaled by column.
struct ScaledColumns {
    const float* x;
    const double *offset, *factor;
    std::int64_t d;
    float* to;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        to[i] = static_cast<float>((static_cast<double>(x[i]) - offset[i % d]) * factor[i % d]);
    }
};

/// A scaled copy of x[n,d], or nothing if no scale is given.
template <class Device>
typename Device::template Memory<float> scaled_copy(Device& device, ConstTensor x, const ColumnScale& scale) {
    auto copy = device.template take<float>(scale.given() ? x.elements() : 0);
    if (!scale.given()) return copy;
    const auto offset = device.template take<double>(x.columns());
    const auto factor = device.template take<double>(x.columns());
    device.write(std::vector<double>(scale.offset.begin(), scale.offset.end()), offset.data());
    device.write(std::vector<double>(scale.factor.begin(), scale.factor.end()), factor.data());
    device.each(x.elements(), ScaledColumns{x.data, offset.data(), factor.data(), x.columns(), copy.data()});
    return copy;
}

template <class Device>
void SpectrumBackendOn<Device>::execute(const CentreColumns& op) {
    const auto current = device_.make_current();
    const std::int64_t columns = op.x.columns();
    const auto mean = device_.template take<double>(columns);
    column_means(device_, op.x.data, op.x.rows(), columns, mean.data());
    device_.each(op.x.elements(), SubtractFromColumns{op.x.data, mean.data(), columns});
}

template <class Device>
void SpectrumBackendOn<Device>::execute(const ScaleColumnsByMaxAbs& op) {
    const auto current = device_.make_current();
    float* const x = op.x.data;
    const std::int64_t n = op.x.rows();
    const std::int64_t columns = op.x.columns();
    const std::int64_t parts = std::min<std::int64_t>(n, 256);
    const auto largest = device_.template take<float>(parts * columns);
    const auto divisor = device_.template take<float>(columns);
    device_.each(parts * columns, ColumnMaxima{x, n, columns, parts, largest.data()});
    device_.each(columns, MaximumOfParts{largest.data(), columns, parts, divisor.data()});
    device_.each(n * columns, DivideColumns{x, divisor.data(), columns});
}

/// The host adds the sums of the blocks in order.
template <class Device>
double SpectrumBackendOn<Device>::execute(const SumOfSquares& op) {
    const auto current = device_.make_current();
    const std::int64_t count = op.x.elements();
    if (count == 0) return 0.0;
    const auto scaled = scaled_copy(device_, op.x, op.scale);
    const std::int64_t blocks = loss_blocks(count, 1024);
    const auto partial = device_.template take<double>(blocks);
    device_.blocks(blocks, SquareSums{op.scale.given() ? scaled.data() : op.x.data, count, partial.data()});
    double sum = 0.0;
    for (const double part : device_.read(partial.data(), blocks)) sum += part;
    return sum;
}

template <class Device>
std::optional<std::int64_t> SpectrumBackendOn<Device>::execute(const FirstNonFinite& op) {
    const auto current = device_.make_current();
    const std::int64_t count = op.x.elements();
    if (count == 0) return std::nullopt;
    const std::int64_t many = std::min<std::int64_t>(count, 65536);
    const std::int64_t few = std::min<std::int64_t>(many, 256);
    const auto of_many = device_.template take<std::int64_t>(many);
    const auto of_few = device_.template take<std::int64_t>(few);
    device_.each(many, FindNonFinite{op.x.data, count, many, of_many.data()});
    device_.each(few, Least{of_many.data(), many, few, of_few.data()});
    const std::vector<std::int64_t> found = device_.read(of_few.data(), few);
    const std::int64_t first = *std::min_element(found.begin(), found.end());
    return first < count ? std::optional(first) : std::nullopt;
}

}  // namespace deepfreq::cuda
