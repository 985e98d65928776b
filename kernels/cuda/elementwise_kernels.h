#pragma once

#include <cstdint>

#include "kernels/cuda/backend_on.h"
#include "kernels/cuda/block.h"
#include "kernels/cuda/four.h"
#include "kernels/dropout.h"

namespace deepfreq::cuda {

/// y[i] += x[i].
struct AddElements {
    const float* x;
    float* y;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const { y[i] += x[i]; }
};

/// y = x mask / (1 - rate) over `count` elements. Each thread takes one group that shares a draw.
struct DropElements {
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

template <class Device>
void BackendOn<Device>::execute(const Add& op) {
    device_.each(op.x.elements(), AddElements{op.x.data, op.y.data});
}

template <class Device>
void BackendOn<Device>::execute(const ApplyDropout& op) {
    const std::int64_t count = op.x.elements();
    device_.each((count + DropoutMask::group - 1) / DropoutMask::group,
                 DropElements{DropoutMask(op.params), op.state.data, op.x.data, count, op.y.data});
}

}  // namespace deepfreq::cuda
