#pragma once

#include <cstdint>

#include "common/host_device.h"

namespace deepfreq::cuda {

/// to[i] = value(i) for i = first, first + stride, … below end, in this order. Eight values are computed
/// before the first of them is written: a thread does not move reads past its own writes, and each wait for
/// memory costs hundreds of instructions.
template <class Value>
DEEPFREQ_HOST_DEVICE void write_strided(float* to, std::int64_t first, std::int64_t end, std::int64_t stride,
                                        const Value& value) {
    constexpr int at_once = 8;
    std::int64_t i = first;
    for (; i + (at_once - 1) * stride < end; i += at_once * stride) {
        float values[at_once];
        for (int k = 0; k < at_once; ++k) values[k] = value(i + k * stride);
        for (int k = 0; k < at_once; ++k) to[i + k * stride] = values[k];
    }
    for (; i < end; i += stride) to[i] = value(i);
}

}  // namespace deepfreq::cuda
