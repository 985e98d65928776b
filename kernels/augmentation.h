#pragma once

#include "common/philox.h"
#include "kernels/ops/gather.h"

namespace deepfreq {

/// What happens to one image of a batch: written once for both backends.
struct Augmentation {
    bool mirrored = false;
    std::int64_t down = 0, right = 0;  ///< shift in pixels; pixels shifted in at the border are 0

    /// Draws the augmentation of one row of the batch that follows `update` earlier batches: a pure function
    /// of these and the seed, so that a resumed run draws the same.
    DEEPFREQ_HOST_DEVICE static Augmentation draw(const AugmentParams& params, std::int64_t update,
                                                  std::int64_t row) {
        const Philox random(params.seed, RandomUse::Augmentation, static_cast<std::uint32_t>(row));
        const auto word = random.words(static_cast<std::uint64_t>(update));
        const auto moves = static_cast<std::uint32_t>(2 * params.crop + 1);
        return {params.flip && word[0] % 2 == 1, static_cast<std::int64_t>(word[1] % moves) - params.crop,
                static_cast<std::int64_t>(word[2] % moves) - params.crop};
    }

    /// Index, among the image's height*width pixels, of the pixel that moves to (r, s); -1 if there is none.
    DEEPFREQ_HOST_DEVICE std::int64_t source(std::int64_t r, std::int64_t s, std::int64_t height,
                                             std::int64_t width) const {
        const std::int64_t from_r = r - down;
        const std::int64_t from_s = (mirrored ? width - 1 - s : s) - right;
        if (from_r < 0 || from_r >= height || from_s < 0 || from_s >= width) return -1;
        return from_r * width + from_s;
    }
};

}  // namespace deepfreq
