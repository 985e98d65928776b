#include "kernels/cuda/bfloat16.h"

#include "kernels/cuda/bfloat16_kernels.h"
#include "kernels/cuda/launch.cuh"

namespace deepfreq::cuda {

void round_to_bfloat16(cudaStream_t stream, const float* from, float* to, std::int64_t count) {
    launch_each(stream, count, RoundToBfloat16{from, to});
}

}  // namespace deepfreq::cuda
