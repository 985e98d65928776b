#pragma once

#include <cstdint>

#include "common/philox.h"
#include "kernels/augmentation.h"
#include "kernels/buffer.h"
#include "kernels/cuda/four.h"
#include "kernels/params.h"

namespace deepfreq::cuda {

/// Element i of batch[n, columns] = the source's row permutation[state->sample + row]. Element is float, or
/// Four where rows are whole fours.
template <class Element>
struct GatherRows {
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

/// Element i of batch[n,h,w,c] in Kernels::gather_augmented_images.
struct GatherAugmented {
    const float* source;
    const std::int32_t* permutation;
    const StepState* state;
    AugmentParams params;
    float* batch;
    std::int64_t height, width, channels;

    GatherAugmented(ConstTensor images, const std::int32_t* order, const StepState* at,
                    const AugmentParams& how, float* to)
        : source(images.data),
          permutation(order),
          state(at),
          params(how),
          batch(to),
          height(images.shape[1]),
          width(images.shape[2]),
          channels(images.shape[3]) {}

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

/// state after a batch of `samples`.
struct Advance {
    StepState* state;
    std::int64_t samples;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t /*i*/) const {
        state->sample += samples;
        ++state->step;
        ++state->update;
    }
};

// What the operations do, on a device (StreamDevice, or the tests' host).

/// Kernels::gather_rows; where rows are whole fours, four floats a thread.
template <class Device>
void gather_rows(Device& device, ConstTensor source, TensorView<const std::int32_t> permutation,
                 TensorView<const StepState> state, Tensor batch) {
    const std::int64_t columns = source.columns();
    if (columns % 4 == 0 && on_16_bytes(source.data, batch.data))
        device.each(batch.elements() / 4, GatherRows<Four>{as_fours(source.data), permutation.data,
                                                           state.data, as_fours(batch.data), columns / 4});
    else
        device.each(batch.elements(),
                    GatherRows<float>{source.data, permutation.data, state.data, batch.data, columns});
}

/// Kernels::random_permutation.
template <class Device>
void random_permutation(Device& device, TensorView<std::int32_t> permutation, std::uint64_t seed,
                        std::uint32_t epoch) {
    const std::int64_t n = permutation.elements();
    const auto key = device.template take<std::uint64_t>(n);
    const auto sorted_key = device.template take<std::uint64_t>(n);
    const auto sample = device.template take<std::int32_t>(n);
    device.each(n, PermutationKeys{Philox(seed, RandomUse::Batches, epoch), key.data(), sample.data()});
    device.sort(key.data(), sample.data(), sorted_key.data(), permutation.data, n);
}

}  // namespace deepfreq::cuda
