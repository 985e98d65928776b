#pragma once

#include "common/error.h"
#include "kernels/buffer.h"

// What the public operations check of shapes before they are called.

namespace deepfreq {

inline void expect(const char* operation, const char* name, const Shape& found, const Shape& expected) {
    if (found != expected)
        throw InputError("{}: {} has shape {}, expected {}", operation, name, found.text(), expected.text());
}

inline void expect_rank(const char* operation, const char* name, const Shape& found, int rank) {
    bool good = found.rank() == rank;
    for (int axis = 0; axis < found.rank(); ++axis) good = good && found[axis] > 0;
    if (!good)
        throw InputError("{}: {} has shape {}, expected {} extents, none of them 0 or less", operation, name,
                         found.text(), rank);
}

}  // namespace deepfreq
