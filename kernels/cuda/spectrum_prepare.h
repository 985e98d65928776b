#pragma once

#include <cfloat>
#include <cmath>

#include "kernels/cuda/four.h"
#include "kernels/cuda/half_bits.h"
#include "kernels/cuda/reductions_kernels.h"
#include "kernels/cuda/spectrum_tile.h"

// What is computed from features and targets before the pairs: one thread per element, sums in a fixed order.

namespace deepfreq::cuda::spectrum {

/// label[i] = column of the single 1 among zeros in row i of y[n,c], or -1; order[i] = i.
struct OneHotLabels {
    const float* y;
    std::int64_t c;
    std::int32_t* label;
    std::int32_t* order;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        order[i] = static_cast<std::int32_t>(i);
        label[i] = -1;
        std::int32_t found = -1;
        for (std::int64_t k = 0; k < c; ++k) {
            const float value = y[i * c + k];
            if (value == 0.0F) continue;
            if (value != 1.0F || found >= 0) return;
            found = static_cast<std::int32_t>(k);
        }
        label[i] = found;
    }
};

/// label[i] = column of the largest target of row i. Samples of a kind are often near each other and then
/// share tiles.
struct LargestTargets {
    const float* y;
    std::int64_t c;
    std::int32_t* label;
    std::int32_t* order;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        order[i] = static_cast<std::int32_t>(i);
        std::int32_t found = 0;
        for (std::int64_t k = 1; k < c; ++k)
            if (y[i * c + k] > y[i * c + found]) found = static_cast<std::int32_t>(k);
        label[i] = found;
    }
};

/// starts[s] = index of the first of the n ascending labels that is at least s.
struct RunStarts {
    const std::int32_t* label;
    std::int64_t n;
    std::int64_t* starts;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t s) const {
        std::int64_t first = 0;
        std::int64_t last = n;
        while (first < last) {
            const std::int64_t middle = (first + last) / 2;
            if (label[middle] < s)
                first = middle + 1;
            else
                last = middle;
        }
        starts[s] = first;
    }
};

/// largest[t] = largest magnitude among x[t], x[t + threads], …; 0 if there is none.
template <class T>
struct LargestMagnitudes {
    const T* x;
    std::int64_t count, threads;
    T* largest;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t t) const {
        T found = 0;
        for (std::int64_t i = t; i < count; i += threads) {
            const T magnitude = x[i] < 0 ? -x[i] : x[i];
            found = magnitude > found ? magnitude : found;
        }
        largest[t] = found;
    }
};

/// The power of two just above x >= 0; 1 for 0.
DEEPFREQ_HOST_DEVICE inline double power_of_two_above(double x) {
    return x > 0.0 ? std::ldexp(1.0, std::ilogb(x) + 1) : 1.0;
}

/// square[row][chunk] = squared length of 16 columns of a centred row; i = row * chunks + chunk.
struct ChunkSquares {
    const float* x;
    std::int64_t d;
    int chunks;
    const double* mean;
    double* square;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        const std::int64_t row = i / chunks;
        const std::int64_t first = i % chunks * chunk;
        double sum = 0.0;
        for (std::int64_t k = first; k < first + chunk && k < d; ++k) {
            const double value = static_cast<double>(x[row * d + k]) - mean[k];
            sum += value * value;
        }
        square[i] = sum;
    }
};

/// length[row] of the centred rows, from ChunkSquares.
struct Lengths {
    const double* square;
    int chunks;
    double* length;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t row) const {
        double sum = 0.0;
        for (int index = 0; index < chunks; ++index) sum += square[row * chunks + index];
        length[row] = std::sqrt(sum);
    }
};

/// 16 bytes that a thread writes at once.
struct alignas(16) EightHalves {
    std::uint16_t x[8];
};

/// Features of rows in the given order, laid out as in Samples; rows beyond n are zero. i = row * chunks +
/// chunk. square[row][chunk]: squared length of what the halves stand for.
struct FillRows {
    const float* x;
    const std::int32_t* order;
    const double* mean;
    const double* length;
    std::int64_t n, d, padded_rows;
    int chunks;
    double unit;
    float* row;
    std::uint16_t* split;  ///< or nullptr: no halves wanted
    double* square;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        const std::int64_t to = i / chunks;
        const auto index = static_cast<int>(i % chunks);
        const std::int64_t from = to < n ? order[to] : 0;
        const std::int64_t first = std::int64_t{index} * chunk;
        DEEPFREQ_UNROLL
        for (int k = 0; k < chunk; k += 4) {
            Four four;
            DEEPFREQ_UNROLL
            for (int e = 0; e < 4; ++e)
                four.x[e] = to < n && first + k + e < d ? divided(x[from * d + first + k + e]) : 0.0F;
            *as_fours(row + i * chunk + k) = four;
        }
        if (split == nullptr) return;
        // The longest row has length at most 2^10: 16 bits can hold its products, and no feature is lost.
        const double scale = 0x1p10 / power_of_two_above(length[from]);
        std::uint16_t* const halves = split + (index * padded_rows + to) * split_halves;
        double sum = 0.0;
        DEEPFREQ_UNROLL
        for (int k = 0; k < chunk; k += 8) {
            EightHalves hi;
            EightHalves lo;
            DEEPFREQ_UNROLL
            for (int e = 0; e < 8; ++e) {
                const std::int64_t column = first + k + e;
                const bool real = to < n && column < d;
                const auto centred = static_cast<float>(
                    real ? (static_cast<double>(x[from * d + column]) - mean[column]) * scale : 0.0);
                hi.x[e] = half_bits(centred);
                lo.x[e] = half_bits(centred - half_value(hi.x[e]));
                const double kept =
                    static_cast<double>(half_value(hi.x[e])) + static_cast<double>(half_value(lo.x[e]));
                sum += kept * kept;
            }
            write(halves + k, hi);
            write(halves + low_part + k, lo);
        }
        square[i] = sum;
    }

  private:
    DEEPFREQ_HOST_DEVICE static void write(std::uint16_t* to, const EightHalves& eight) {
        require_16_bytes(to);
        *reinterpret_cast<EightHalves*>(to) = eight;
    }

    /// value / unit, exactly, since unit is a power of two; 0 where that is too large for a float. There,
    /// neighbouring floats are further apart than the bound that `unit` puts on the column, so the column is
    /// constant.
    DEEPFREQ_HOST_DEVICE float divided(float value) const {
        const double quotient = static_cast<double>(value) / unit;
        return std::fabs(quotient) <= static_cast<double>(FLT_MAX) ? static_cast<float>(quotient) : 0.0F;
    }
};

/// shape[row] of the rows that FillRows filled.
struct RowShapes {
    const double* square;
    const std::int32_t* order;
    const double* length;
    std::int64_t n;
    int chunks;
    double unit;
    RowShape* shape;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t row) const {
        if (row >= n) {
            shape[row] = {0.0F, 0.0F};
            return;
        }
        const double scale = power_of_two_above(length[order[row]]) * 0x1p-10 / unit;
        double sum = 0.0;
        for (int index = 0; index < chunks; ++index) sum += square[row * chunks + index];
        shape[row] = {static_cast<float>(sum * scale * scale), static_cast<float>(scale)};
    }
};

/// place[order[i]] = i.
struct InvertOrder {
    const std::int32_t* order;
    std::int32_t* place;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        place[order[i]] = static_cast<std::int32_t>(i);
    }
};

/// sample[i] = position of the i-th of n listed rows among the sorted ones; -1 beyond them.
struct PlacesOfRows {
    const std::int32_t* row;
    const std::int32_t* place;
    std::int64_t n;
    std::int32_t* sample;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const { sample[i] = i < n ? place[row[i]] : -1; }
};

/// target[row][c + 1] = targets of sorted row `row` divided by unit, then a 1; rows beyond n are zero.
/// i = row * (c + 1) + column.
struct FillTargets {
    const float* y;
    const std::int32_t* order;
    std::int64_t n, c;
    double unit;
    float* target;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        const std::int64_t row = i / (c + 1);
        const std::int64_t column = i % (c + 1);
        const double value =
            column == c ? unit : static_cast<double>(row < n ? y[order[row] * c + column] : 0.0F);
        target[i] = row < n ? static_cast<float>(value / unit) : 0.0F;
    }
};

}  // namespace deepfreq::cuda::spectrum
