#pragma once

#include <cstdint>

#include "kernels/cuda/backend_on.h"
#include "kernels/cuda/block.h"
#include "kernels/cuda/four.h"
#include "kernels/cuda/launch_shape.h"
#include "kernels/math.h"

namespace deepfreq::cuda {

/// One Adam update of w, m and v [size], in place. Values shared by all parameters are computed once per
/// block.
struct AdamUpdate {
    static constexpr int threads = 256;
    struct Shared {
        math::AdamStep step;
    };

    float* w;
    const float* dw;
    float* m;
    float* v;
    std::int64_t size;
    AdamParams params;
    const StepState* state;

    template <class Block>
    DEEPFREQ_HOST_DEVICE void operator()(Block& block, Shared& shared) const {
        if (block.thread() == 0) shared.step = math::adam_step(params, *state);
        block.barrier();
        const std::int64_t stride = block.blocks() * threads;
        const std::int64_t first = block.index() * threads + block.thread();
        const std::int64_t fours = on_16_bytes(w, dw, m, v) ? size / 4 : 0;
        for (std::int64_t i = first; i < fours; i += stride) update_four(shared.step, i);
        for (std::int64_t i = 4 * fours + first; i < size; i += stride)
            math::adam_update(shared.step, dw[i], w[i], m[i], v[i]);
    }

  private:
    DEEPFREQ_HOST_DEVICE void update_four(const math::AdamStep& step, std::int64_t i) const {
        const Four gradient = as_fours(dw)[i];
        Four parameter = as_fours(w)[i];
        Four first = as_fours(m)[i];
        Four second = as_fours(v)[i];
        for (int k = 0; k < 4; ++k)
            math::adam_update(step, gradient.x[k], parameter.x[k], first.x[k], second.x[k]);
        as_fours(w)[i] = parameter;
        as_fours(m)[i] = first;
        as_fours(v)[i] = second;
    }
};

/// Enough blocks to fill any GPU, with several fours per thread where there are many parameters.
constexpr std::int64_t adam_blocks(std::int64_t size) {
    return blocks_for(size, 4 * AdamUpdate::threads, 1024);
}

template <class Device>
void BackendOn<Device>::execute(const Adam& op) {
    const std::int64_t size = op.w.elements();
    device_.blocks(adam_blocks(size),
                   AdamUpdate{op.w.data, op.dw.data, op.m.data, op.v.data, size, op.params, op.state.data});
}

}  // namespace deepfreq::cuda
