#pragma once

#include <cstdint>

#include "kernels/cuda/block.h"
#include "kernels/cuda/four.h"
#include "kernels/dropout.h"

namespace deepfreq::cuda {

/// y = x mask / (1 - rate) over `count` elements, a group that shares a draw a thread.
struct Dropout {
    DropoutMask mask;
    const StepState* state;
    const float* x;
    std::int64_t count;
    float* y;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t g) const {
        constexpr int group = DropoutMask::group;
        float factor[group];
        mask.draw(state->update, g, factor);
        const std::int64_t first = g * group;
        if (first + group <= count && on_16_bytes(x, y)) {
            for (int half = 0; half < 2; ++half) {
                Four four = as_fours(x)[2 * g + half];
                for (int k = 0; k < 4; ++k) four.x[k] *= factor[4 * half + k];
                as_fours(y)[2 * g + half] = four;
            }
            return;
        }
        for (int k = 0; k < group && first + k < count; ++k) y[first + k] = x[first + k] * factor[k];
    }
};

/// Kernels::dropout on a device (StreamDevice, or the tests' host).
template <class Device>
void dropout(Device& device, const float* x, std::int64_t count, const DropoutParams& params,
             const StepState* state, float* y) {
    device.each((count + DropoutMask::group - 1) / DropoutMask::group,
                Dropout{DropoutMask(params), state, x, count, y});
}

}  // namespace deepfreq::cuda
