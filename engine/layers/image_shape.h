#pragma once

#include <cstdint>

#include "engine/memory_plan.h"

namespace deepfreq {

/// An image as a row of features: rows, then columns, then channels, the last running fastest.
struct ImageShape {
    std::int64_t height = 1, width = 1, channels = 1;

    std::int64_t elements() const { return height * width * channels; }
    /// n of them.
    Shape batch(std::int64_t n) const { return {n, height, width, channels}; }
    /// One for each row of a batch.
    PerRow per_row() const { return {{height, width, channels}}; }
};

}  // namespace deepfreq
