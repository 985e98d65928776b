#include "kernels/cpu/bfloat16.h"

#include "kernels/cpu/parts.h"
#include "kernels/math.h"

namespace deepfreq {

void round_to_bfloat16(const float* from, std::int64_t count, std::uint16_t* to) {
#pragma omp parallel for simd schedule(static) if (parallel : count >= parallel_threshold)
    for (std::int64_t i = 0; i < count; ++i) to[i] = math::bfloat16_bits(from[i]);
}

void round_to_bfloat16(const float* from, std::int64_t count, float* to) {
#pragma omp parallel for simd schedule(static) if (parallel : count >= parallel_threshold)
    for (std::int64_t i = 0; i < count; ++i) to[i] = math::bfloat16_value(from[i]);
}

}  // namespace deepfreq
