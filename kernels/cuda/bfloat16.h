#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>

namespace deepfreq::cuda {

/// to[i] = the bfloat16 nearest to from[i], ties to even, as its 16 bits. Queued on `stream`.
void round_to_bfloat16(cudaStream_t stream, const float* from, std::uint16_t* to, std::int64_t count);

}  // namespace deepfreq::cuda
