#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "kernels/cuda/losses_kernels.h"

namespace deepfreq::cuda {

/// largest[part][column] = largest |x_ij| of one part of the rows of x[n, columns]; NaN does not count.
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

/// of_column[column] = largest of its parts.
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

/// x[i] /= divisor[column]; a column whose divisor is 0 stays.
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

/// mean[k] = the sum of its parts, in order, over n.
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

/// partial[block] = sum of one share of x^2 between two bounds, in double: `shares` blocks to every pair of
/// bounds.
struct BoundedSquareSums {
    static constexpr int threads = loss_threads;
    using Shared = LossTerms;

    const float* x;
    const std::int64_t* bounds;
    std::int64_t shares;
    double* partial;

    template <class Block>
    DEEPFREQ_HOST_DEVICE void operator()(Block& block, Shared& shared) const {
        const std::int64_t k = block.index() / shares;
        const std::int64_t share = block.index() % shares;
        double mine = 0.0;
        for (std::int64_t i = bounds[k] + share * threads + block.thread(); i < bounds[k + 1];
             i += shares * threads)
            mine += static_cast<double>(x[i]) * static_cast<double>(x[i]);
        const double sum = block_sum<threads>(block, shared.term, mine);
        if (block.thread() == 0) partial[block.index()] = sum;
    }
};

/// sums[k] += its shares, in order.
struct AddShares {
    const double* partial;
    std::int64_t shares;
    double* sums;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t k) const {
        double sum = 0.0;
        for (std::int64_t share = 0; share < shares; ++share) sum += partial[k * shares + share];
        sums[k] += sum;
    }
};

/// first[t] = the first of i = t, t + takers, … at which x[i] is NaN or infinite, or count.
struct FirstNonFinite {
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

// What the operations do, on a device (StreamDevice, or the tests' host).

/// mean[columns] of x[n, columns], in double.
template <class Device>
void column_means(Device& device, const float* x, std::int64_t n, std::int64_t columns, double* mean) {
    const std::int64_t parts = std::min<std::int64_t>(n, 256);
    const auto partial = device.template take<double>(parts * columns);
    device.each(parts * columns, ColumnPartialSums{x, n, columns, parts, partial.data()});
    device.each(columns, ColumnMeans{partial.data(), n, columns, parts, mean});
}

/// Kernels::centre_columns.
template <class Device>
void centre_columns(Device& device, float* x, std::int64_t n, std::int64_t columns) {
    const auto mean = device.template take<double>(columns);
    column_means(device, x, n, columns, mean.data());
    device.each(n * columns, SubtractFromColumns{x, mean.data(), columns});
}

/// Kernels::scale_columns_by_max_abs.
template <class Device>
void scale_columns(Device& device, float* x, std::int64_t n, std::int64_t columns) {
    const std::int64_t parts = std::min<std::int64_t>(n, 256);
    const auto largest = device.template take<float>(parts * columns);
    const auto divisor = device.template take<float>(columns);
    device.each(parts * columns, ColumnMaxima{x, n, columns, parts, largest.data()});
    device.each(columns, MaximumOfParts{largest.data(), columns, parts, divisor.data()});
    device.each(n * columns, DivideColumns{x, divisor.data(), columns});
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

/// A scaled copy of x[n,d]; nothing where no scale is given.
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

/// Kernels::sum_of_squares; the blocks' sums are added in order on the host.
template <class Device>
double sum_of_squares(Device& device, const float* x, std::int64_t count) {
    const std::int64_t blocks = loss_blocks(count, 1024);
    const auto partial = device.template take<double>(blocks);
    device.blocks(blocks, SquareSums{x, count, partial.data()});
    double sum = 0.0;
    for (const double part : device.read(partial.data(), blocks)) sum += part;
    return sum;
}

/// Kernels::add_squared_norms, with room for `limit` partial sums; it takes no memory, so that it can be
/// recorded.
template <class Device>
void add_squared_norms(Device& device, const float* x, TensorView<const std::int64_t> bounds,
                       TensorView<double> sums, double* partial, std::int64_t limit) {
    constexpr std::int64_t most_shares = 64;  // of the largest layers here: a few hundred KB each
    for (std::int64_t first = 0; first < sums.elements(); first += limit) {
        const std::int64_t count = std::min(limit, sums.elements() - first);
        const std::int64_t shares = std::min(most_shares, limit / count);
        device.blocks(count * shares, BoundedSquareSums{x, bounds.data + first, shares, partial});
        device.each(count, AddShares{partial, shares, sums.data + first});
    }
}

/// Kernels::first_non_finite, or count if all are finite.
template <class Device>
std::int64_t first_non_finite(Device& device, const float* x, std::int64_t count) {
    const std::int64_t many = std::min<std::int64_t>(count, 65536);
    const std::int64_t few = std::min<std::int64_t>(many, 256);
    const auto of_many = device.template take<std::int64_t>(many);
    const auto of_few = device.template take<std::int64_t>(few);
    device.each(many, FirstNonFinite{x, count, many, of_many.data()});
    device.each(few, Least{of_many.data(), many, few, of_few.data()});
    const std::vector<std::int64_t> found = device.read(of_few.data(), few);
    return *std::min_element(found.begin(), found.end());
}

}  // namespace deepfreq::cuda
