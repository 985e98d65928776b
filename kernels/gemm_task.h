#pragma once

#include <cstdint>

namespace deepfreq {

/// Whether a matrix enters a product transposed.
enum class Transpose { No, Yes };

/// A product of row-major, contiguous matrices: c[m,n] = a b, or c += a b, where a is [m,k] and b is [k,n]
/// after any transposition. Backends keep what they choose for a task and reuse it for equal tasks.
struct GemmTask {
    Transpose transpose_a = Transpose::No, transpose_b = Transpose::No;
    std::int64_t m = 0, n = 0, k = 0;
    bool add = false;  ///< whether to add to c; otherwise c is not read

    // clang-tidy 14 sees a 0 in what the compiler makes of this.
    auto operator<=>(const GemmTask&) const = default;  // NOLINT(modernize-use-nullptr)
};

}  // namespace deepfreq
