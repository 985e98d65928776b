#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace deepfreq::cuda {

/// to[i] = the bfloat16 value nearest to from[i], ties to even, as a float. Queued on `stream`.
void round_to_bfloat16(cudaStream_t stream, const float* from, float* to, std::int64_t count);

}  // namespace deepfreq::cuda
