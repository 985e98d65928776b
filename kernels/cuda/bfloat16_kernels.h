#pragma once

#include <cstdint>

#include "kernels/math.h"

namespace deepfreq::cuda {

struct RoundToBfloat16 {
    const float* from;
    float* to;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const { to[i] = math::bfloat16_value(from[i]); }
};

}  // namespace deepfreq::cuda
