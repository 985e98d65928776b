#pragma once

#include <cstdint>

namespace deepfreq {

/// to[i] = the bfloat16 nearest to from[i], ties to even, in the 2-byte form used in products.
void round_to_bfloat16(const float* from, std::int64_t count, std::uint16_t* to);

/// The same, stored as a float.
void round_to_bfloat16(const float* from, std::int64_t count, float* to);

}  // namespace deepfreq
