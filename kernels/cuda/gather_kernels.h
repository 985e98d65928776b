#pragma once

#include <cstdint>

#include "common/philox.h"
#include "kernels/augmentation.h"
#include "kernels/cuda/backend_on.h"
#include "kernels/cuda/four.h"

namespace deepfreq::cuda {

/// Element i of batch[n, columns] = the source's row permutation[state->sample + row]. Element is float, or
/// Four if rows consist of whole fours.
template <class Element>
struct CopyRows {
    const Element* source;
    const std::int32_t* permutation;
    const StepState* state;
    Element* batch;
    std::int64_t columns;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        const std::int64_t row = i / columns;
        const std::int64_t from = permutation[state->sample + row];
        batch[i] = source[from * columns + (i - row * columns)];
    }
};

/// Element i of batch[n,h,w,c] in GatherAugmentedImages.
struct CopyAugmented {
    const float* source;
    const std::int32_t* permutation;
    const StepState* state;
    AugmentParams params;
    float* batch;
    std::int64_t height, width, channels;

    explicit CopyAugmented(const GatherAugmentedImages& op)
        : source(op.source.data),
          permutation(op.permutation.data),
          state(op.state.data),
          params(op.params),
          batch(op.batch.data),
          height(op.source.shape[1]),
          width(op.source.shape[2]),
          channels(op.source.shape[3]) {}

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        const std::int64_t pixel = i / channels;
        const std::int64_t r = pixel / width % height;
        const std::int64_t row = pixel / (width * height);
        const std::int64_t from =
            Augmentation::draw(params, state->update, row).source(r, pixel % width, height, width);
        const std::int64_t image = permutation[state->sample + row] * height * width;
        batch[i] = from < 0 ? 0.0F : source[(image + from) * channels + i % channels];
    }
};

/// key[i] of sample i, and the sample itself: sorted by key they are the epoch's order.
struct PermutationKeys {
    Philox random;
    std::uint64_t* key;
    std::int32_t* sample;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        key[i] = random.word64(static_cast<std::uint64_t>(i));
        sample[i] = static_cast<std::int32_t>(i);
    }
};

/// Advances state past a batch of `samples`.
struct AdvanceState {
    StepState* state;
    std::int64_t samples;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t /*i*/) const {
        state->sample += samples;
        ++state->step;
        ++state->update;
    }
};

/// If rows consist of whole fours, each thread takes four floats.
template <class Device>
void BackendOn<Device>::execute(const GatherRows& op) {
    const std::int64_t columns = op.source.columns();
    if (columns % 4 == 0 && on_16_bytes(op.source.data, op.batch.data))
        device_.each(op.batch.elements() / 4,
                     CopyRows<Four>{as_fours(op.source.data), op.permutation.data, op.state.data,
                                    as_fours(op.batch.data), columns / 4});
    else
        device_.each(op.batch.elements(), CopyRows<float>{op.source.data, op.permutation.data, op.state.data,
                                                          op.batch.data, columns});
}

template <class Device>
void BackendOn<Device>::execute(const GatherAugmentedImages& op) {
    device_.each(op.batch.elements(), CopyAugmented(op));
}

template <class Device>
void BackendOn<Device>::execute(const RandomPermutation& op) {
    const std::int64_t n = op.permutation.elements();
    const auto key = device_.template take<std::uint64_t>(n);
    const auto sorted_key = device_.template take<std::uint64_t>(n);
    const auto sample = device_.template take<std::int32_t>(n);
    const Philox random(op.seed, RandomUse::Batches, op.epoch);
    device_.each(n, PermutationKeys{random, key.data(), sample.data()});
    device_.sort(key.data(), sample.data(), sorted_key.data(), op.permutation.data, n);
}

template <class Device>
void BackendOn<Device>::execute(const Advance& op) {
    device_.each(1, AdvanceState{op.state.data, op.samples});
}

}  // namespace deepfreq::cuda
