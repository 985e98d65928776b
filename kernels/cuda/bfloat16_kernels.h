#pragma once

#include <cstdint>
#include <cstring>

#include "common/host_device.h"

namespace deepfreq::cuda {

/// The bfloat16 value nearest to x, ties to even: the upper half of the float, rounded by an addition that
/// carries into the exponent. NaN stays NaN.
DEEPFREQ_HOST_DEVICE inline float bfloat16_value(float x) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &x, sizeof bits);
    const bool nan = (bits & 0x7FFFFFFFU) > 0x7F800000U;
    bits = (nan ? bits | 0x400000U : bits + 0x7FFFU + (bits >> 16 & 1U)) & 0xFFFF0000U;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

struct RoundToBfloat16 {
    const float* from;
    float* to;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const { to[i] = bfloat16_value(from[i]); }
};

}  // namespace deepfreq::cuda
