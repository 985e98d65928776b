#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

// Vectors as wide as the processor's registers, using extensions that GCC and Clang share: one source for
// every instruction set. (Measured: loops left to the compiler's vectoriser do not keep their sums in
// registers.)

namespace deepfreq::simd {

#if defined(__AVX512F__)
inline constexpr int lanes = 16;
inline constexpr const char* vector_instructions = "AVX-512";
#elif defined(__AVX__)
inline constexpr int lanes = 8;
inline constexpr const char* vector_instructions = "AVX2";
#else
inline constexpr int lanes = 4;
inline constexpr const char* vector_instructions = "no AVX2";
#endif

using Vector = float __attribute__((vector_size(lanes * sizeof(float))));
using BitVector = std::uint32_t __attribute__((vector_size(lanes * sizeof(float))));

inline Vector load(const float* from) {
    Vector v;
    std::memcpy(&v, from, sizeof v);
    return v;
}

inline void store(const Vector& v, float* to) {
    std::memcpy(to, &v, sizeof v);
}

/// a0 b0 a1 b1 … from the lower or upper halves of a and b.
template <bool Upper, int... Lane>
Vector interleave(const Vector& a, const Vector& b, std::integer_sequence<int, Lane...>) {
    return __builtin_shufflevector(a, b, ((Upper ? lanes / 2 : 0) + Lane / 2 + Lane % 2 * lanes)...);
}

/// Transposes: rows[i][j] and rows[j][i] change places. Each step interleaves row i of the lower half with row i
/// of the upper half; log2(lanes) steps make the transpose.
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

}  // namespace deepfreq::simd
