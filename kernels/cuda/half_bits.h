#pragma once

#include <cstdint>

#include "common/host_device.h"

#ifdef __CUDACC__
#include <cuda_fp16.h>
#else
#include <bit>
#endif

// Half precision as 16 bits, also on the host. The device's instructions and the host's arithmetic agree bit
// for bit.

namespace deepfreq::cuda {

/// The half nearest to x, ties to even; infinite from 65520 on. x is not NaN.
DEEPFREQ_HOST_DEVICE inline std::uint16_t half_bits(float x) {
#ifdef __CUDACC__
    return __half_as_ushort(__float2half_rn(x));
#else
    const auto bits = std::bit_cast<std::uint32_t>(x);
    const std::uint32_t sign = bits >> 16 & 0x8000U;
    std::uint32_t magnitude = bits & 0x7FFFFFFFU;
    if (magnitude >= 0x47800000U) {  // 2^16
        magnitude = 0x7C00U;
    } else if (magnitude < 0x38800000U) {
        // Below 2^-14, halves are spaced 2^-24 apart, like floats from 0.5 on: the addition rounds.
        magnitude = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - 0x3F000000U;
    } else {
        magnitude = (magnitude - 0x38000000U + 0xFFFU + (magnitude >> 13 & 1U)) >> 13;
    }
    return static_cast<std::uint16_t>(sign | magnitude);
#endif
}

/// The value of a half, exactly. It is finite.
DEEPFREQ_HOST_DEVICE inline float half_value(std::uint16_t half) {
#ifdef __CUDACC__
    return __half2float(__ushort_as_half(half));
#else
    const std::uint32_t magnitude = half & 0x7FFFU;
    const float value = magnitude < 0x400U ? static_cast<float>(magnitude) * 0x1p-24F
                                           : std::bit_cast<float>((magnitude << 13) + 0x38000000U);
    return (half & 0x8000U) != 0 ? -value : value;
#endif
}

}  // namespace deepfreq::cuda
