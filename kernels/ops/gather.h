#pragma once

#include <algorithm>

#include "kernels/expect.h"
#include "kernels/types.h"

// How a batch is assembled on the device: rows of the data set in random order.

namespace deepfreq {

/// batch[i] = source[permutation[state->sample + i]], row by row.
struct GatherRows {
    ConstTensor source;                          ///< [N,…]
    TensorView<const std::int32_t> permutation;  ///< [N]
    TensorView<const StepState> state;           ///< [1]
    Tensor batch;                                ///< [n,…], overwritten; n <= N, rows as long as source's

    void validate() const {
        const Expect expect("gather_rows");
        expect.rank("source", source, std::max(1, source.shape.rank()));
        expect.shape("permutation", permutation, {source.shape[0]});
        expect.shape("state", state, {1});
        if (batch.rows() > source.rows() || batch.columns() != source.columns())
            throw InputError("gather_rows: batch has shape {}, expected at most {} rows of {} elements",
                             batch.shape.text(), source.rows(), source.columns());
    }
};

/// How the images of a batch are randomly augmented during training.
struct AugmentParams {
    bool flip = false;       ///< mirror each image left to right with probability 1/2
    std::int64_t crop = 0;   ///< shift each image by up to this many pixels in either direction
    std::uint64_t seed = 0;  ///< of both random choices

    bool any() const { return flip || crop > 0; }
};

/// GatherRows of images, each randomly augmented as determined by (seed, state->update, row of the batch).
/// Pixels shifted in at the border are 0.
struct GatherAugmentedImages {
    ConstTensor source;                          ///< [N,h,w,c]
    TensorView<const std::int32_t> permutation;  ///< [N]
    TensorView<const StepState> state;           ///< [1]
    AugmentParams params = {};
    Tensor batch;  ///< [n,h,w,c], overwritten; n <= N

    void validate() const {
        const Expect expect("gather_augmented_images");
        expect.rank("source", source, 4);
        const Shape& images = source.shape;
        expect.shape("permutation", permutation, {images[0]});
        expect.shape("state", state, {1});
        expect.rank("batch", batch, 4);
        expect.shape("batch", batch, {std::min(batch.shape[0], images[0]), images[1], images[2], images[3]});
        if (params.crop < 0 || params.crop >= std::min(images[1], images[2]))
            throw InputError("{}: crop {} given, expected 0 to less than the image's {} x {}",
                             expect.operation(), params.crop, images[1], images[2]);
    }
};

/// permutation = 0 … n-1 in a random order determined by (seed, epoch): sorted by a 64-bit Philox key, so it
/// is the same on every backend.
struct RandomPermutation {
    TensorView<std::int32_t> permutation;  ///< [n], overwritten
    std::uint64_t seed = 0;
    std::uint32_t epoch = 0;

    void validate() const { Expect("random_permutation").rank("permutation", permutation, 1); }
};

/// After a batch: state->sample += samples, ++step, ++update.
struct Advance {
    TensorView<StepState> state;  ///< [1]
    std::int64_t samples = 0;

    void validate() const { Expect("advance").shape("state", state, {1}); }
};

}  // namespace deepfreq
