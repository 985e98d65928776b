#pragma once

#include <cstdint>
#include <cstring>

#include "common/host_device.h"

namespace deepfreq::cuda {

/// The bits of the bfloat16 nearest to x, ties to even: the upper half of the float, rounded by an addition
/// that carries into the exponent. NaN stays NaN.
DEEPFREQ_HOST_DEVICE inline std::uint16_t bfloat16_bits(float x) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &x, sizeof bits);
    if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return static_cast<std::uint16_t>(bits >> 16 | 0x40U);
    return static_cast<std::uint16_t>((bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16);
}

struct RoundToBfloat16 {
    const float* from;
    std::uint16_t* to;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const { to[i] = bfloat16_bits(from[i]); }
};

}  // namespace deepfreq::cuda
