#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <utility>

#if defined(__SSE__)
#include <immintrin.h>
#endif

#include "kernels/cpu/vector.h"

// Further vector operations, which only the measurement of spectra needs.

namespace deepfreq::spectrum {

using namespace simd;

using HalfVector = float __attribute__((vector_size(lanes / 2 * sizeof(float))));
using DoubleVector = double __attribute__((vector_size(lanes / 2 * sizeof(double))));

/// to[lane] += v[lane], in double.
inline void add_to_double(const Vector& v, double* to) {
    for (int half = 0; half < 2; ++half) {
        HalfVector part;
        DoubleVector sum;
        std::memcpy(&part, reinterpret_cast<const char*>(&v) + half * sizeof part, sizeof part);
        std::memcpy(&sum, to + half * lanes / 2, sizeof sum);
        sum += __builtin_convertvector(part, DoubleVector);
        std::memcpy(to + half * lanes / 2, &sum, sizeof sum);
    }
}

/// The same, for the first `count` lanes only.
inline void add_to_double(const Vector& v, double* to, int count) {
    if (count == lanes) {
        add_to_double(v, to);
        return;
    }
    float part[lanes];
    store(v, part);
    for (int lane = 0; lane < count; ++lane) to[lane] += static_cast<double>(part[lane]);
}

/// Whether any bit of any lane is set.
inline bool any_bit(const BitVector& v) {
    std::uint32_t part[lanes];
    std::memcpy(part, &v, sizeof part);
    std::uint32_t any = 0;
    for (const std::uint32_t bits : part) any |= bits;
    return any != 0;
}

/// Sum of the lanes, always in the same order.
inline float horizontal_sum(const Vector& v) {
    float part[lanes];
    store(v, part);
    for (int width = lanes / 2; width > 0; width /= 2)
        for (int i = 0; i < width; ++i) part[i] += part[i + width];
    return part[0];
}

/// a b + c, rounded once if the processor can. Explicit, because a compiler may contract it but need not.
inline Vector multiply_add(const Vector& a, const Vector& b, const Vector& c) {
#if defined(__AVX512F__)
    return _mm512_fmadd_ps(a, b, c);
#elif defined(__FMA__)
    return _mm256_fmadd_ps(a, b, c);
#else
    return a * b + c;
#endif
}

/// 2^(-b d) for d, b >= 0, whose product may be infinite. The relative error is at most exponential_error;
/// the result is exactly 1 at 0, and exactly 0 where it would be below the smallest normal float. Always
/// inlined: otherwise a program may be linked with the copy of a source that was compiled for debugging.
[[gnu::always_inline]] inline Vector power_of_half(const Vector& d, float b) {
    constexpr float round_to_int = 12582912.0F;  // 1.5 * 2^23: the sum's last bits are the nearest integer
    constexpr float largest = 126.0F;

    // d b is never rounded on its own: the error would grow with it.
    const Vector exponent = Vector{} - b;
    const Vector shifted = multiply_add(d, exponent, Vector{} + round_to_int);
    const Vector n = shifted - round_to_int;
    const Vector f = multiply_add(d, exponent, -n);  // 2^f 2^n; |f| <= 0.5, but beyond `largest` anything
    Vector q =
        multiply_add(f, Vector{} + 0x1.41fbbcp-13F, Vector{} + 0x1.5f3e54p-10F);  // 2^f = 1 + f q(f), minimax
    for (const float coefficient : {0x1.3b2d4cp-7F, 0x1.c6aee8p-5F, 0x1.ebfbdcp-3F, 0x1.62e430p-1F, 1.0F})
        q = multiply_add(q, f, Vector{} + coefficient);
    const auto bits = std::bit_cast<BitVector>(q) + (std::bit_cast<BitVector>(shifted) << 23);  // times 2^n
    return shifted < round_to_int - largest ? Vector{} : std::bit_cast<Vector>(bits);
}

/// Relative error of power_of_half. Without fused multiply-adds, d b is rounded: this is then the error of a
/// weight that still counts.
#if defined(__FMA__)
inline constexpr double exponential_error = 1.0e-7;
#else
inline constexpr double exponential_error = 4.2e-6;
#endif

/// Lane i is the sum of the lanes of rows[i].
inline Vector sums_of_lanes(const Vector* rows) {
    constexpr auto each_lane = std::make_integer_sequence<int, lanes>{};
    std::array<Vector, lanes> sum;
    std::memcpy(&sum, rows, sizeof sum);
#pragma GCC unroll 4
    for (int count = lanes / 2; count > 0; count /= 2)
#pragma GCC unroll 8
        for (int i = 0; i < count; ++i)
            sum[i] = interleave<false>(sum[i], sum[i + count], each_lane) +
                     interleave<true>(sum[i], sum[i + count], each_lane);
    return sum[0];
}

/// During its lifetime, numbers below the smallest normal float are 0 in this thread. They make no difference
/// to results, and arithmetic with them is many times slower.
class FlushDenormals {
  public:
    FlushDenormals(const FlushDenormals&) = delete;
    FlushDenormals& operator=(const FlushDenormals&) = delete;
#if defined(__SSE__)
    FlushDenormals() : saved_(_mm_getcsr()) {
        _mm_setcsr(saved_ | 0x8040U);
    }
    ~FlushDenormals() {
        _mm_setcsr(saved_);
    }

  private:
    unsigned saved_;
#else
    FlushDenormals() = default;
#endif
};

}  // namespace deepfreq::spectrum
