#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

// Vectors as wide as the processor's registers, by the extensions GCC and Clang share: one source for every
// instruction set. (Measured: loops left to the compiler's vectoriser do not keep their sums in registers.)

namespace deepfreq::spectrum {

#if defined(__AVX512F__)
inline constexpr int lanes = 16;
#elif defined(__AVX__)
inline constexpr int lanes = 8;
#else
inline constexpr int lanes = 4;
#endif

using Vector = float __attribute__((vector_size(lanes * sizeof(float))));
using BitVector = std::uint32_t __attribute__((vector_size(lanes * sizeof(float))));
using HalfVector = float __attribute__((vector_size(lanes / 2 * sizeof(float))));
using DoubleVector = double __attribute__((vector_size(lanes / 2 * sizeof(double))));

inline Vector load(const float* from) {
    Vector v;
    std::memcpy(&v, from, sizeof v);
    return v;
}

inline void store(const Vector& v, float* to) {
    std::memcpy(to, &v, sizeof v);
}

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

/// Sum of the lanes, always in the same order.
inline float horizontal_sum(const Vector& v) {
    float part[lanes];
    store(v, part);
    for (int width = lanes / 2; width > 0; width /= 2)
        for (int i = 0; i < width; ++i) part[i] += part[i + width];
    return part[0];
}

/// a0 b0 a1 b1 … from the lower or upper halves of a and b.
template <bool Upper, int... Lane>
Vector interleave(const Vector& a, const Vector& b, std::integer_sequence<int, Lane...>) {
    return __builtin_shufflevector(a, b, ((Upper ? lanes / 2 : 0) + Lane / 2 + Lane % 2 * lanes)...);
}

/// rows[i][j] and rows[j][i] change places. Row i of the upper half of the rows shuffled with row i of the
/// lower, log2(lanes) times over, is the transpose.
inline void transpose_square(std::array<Vector, lanes>& rows) {
    constexpr auto each_lane = std::make_integer_sequence<int, lanes>{};
#pragma GCC unroll 4
    for (int done = 1; done < lanes; done *= 2) {
        const std::array<Vector, lanes> before = rows;
#pragma GCC unroll 8
        for (std::size_t i = 0; i < lanes / 2; ++i) {
            rows[2 * i] = interleave<false>(before[i], before[i + lanes / 2], each_lane);
            rows[2 * i + 1] = interleave<true>(before[i], before[i + lanes / 2], each_lane);
        }
    }
}

/// exp(-u) for u >= 0 (infinity too), within 1.1 ulp; exactly 1 at 0, and exactly 0 where the result would be
/// below the smallest normal float.
inline Vector exp_minus(const Vector& u) {
    constexpr float log2_e = 1.44269504F;
    constexpr float ln2_high = 0.693359375F;  // so few bits that n * ln2_high is exact
    constexpr float ln2_low = -2.12194440e-4F;
    constexpr float round_to_int = 12582912.0F;  // 1.5 * 2^23: the sum's last bits are the nearest integer
    constexpr float largest = 87.3365447F;       // -ln of the smallest normal float

    const Vector shifted = round_to_int - u * log2_e;
    const Vector n = shifted - round_to_int;
    const Vector r = -(u + n * ln2_high) - n * ln2_low;  // |r| <= ln(2) / 2; beyond `largest`, anything
    Vector p = 1.9875691500e-4F * r + 1.3981999507e-3F;
    p = p * r + 8.3334519073e-3F;
    p = p * r + 4.1665795894e-2F;
    p = p * r + 1.6666665459e-1F;
    p = p * r + 5.0000001201e-1F;
    p = p * (r * r) + r + 1.0F;
    const auto bits = std::bit_cast<BitVector>(p) + (std::bit_cast<BitVector>(shifted) << 23);  // p * 2^n
    return u > largest ? Vector{} : std::bit_cast<Vector>(bits);
}

/// While it lives, numbers below the smallest normal float are 0 in this thread: they change nothing, and
/// arithmetic with them is many times slower.
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
