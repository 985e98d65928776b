#pragma once

#include <cstdint>

#include "engine/memory_plan.h"

namespace deepfreq {

/// The shape of an image stored as a row of features: rows, then columns, then channels, which vary fastest.
struct ImageShape {
    std::int64_t height = 1, width = 1, channels = 1;

    std::int64_t elements() const { return height * width * channels; }
    /// The shape of n images.
    Shape batch(std::int64_t n) const { return {n, height, width, channels}; }
    /// One image per row of a batch.
    PerRow per_row() const { return {{height, width, channels}}; }
};

}  // namespace deepfreq
