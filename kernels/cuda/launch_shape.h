#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace deepfreq::cuda {

/// Threads per block if there is no reason for another number.
inline constexpr int default_threads = 256;

/// The hardware allows no more blocks than this in one dimension.
inline constexpr std::int64_t max_blocks = 0x7FFFFFFF;

/// Number of doubles in a device's partial_sums(), which an operation may use between two of its launches.
inline constexpr std::int64_t partial_sum_doubles = 2 * 65536;

/// The limits of a device. A launch beyond them fails.
struct LaunchLimits {
    std::int64_t shared_bytes;  ///< per block, if it asks for more than the default
    int threads = 1024;         ///< per block
    std::int64_t blocks = max_blocks;
};

constexpr bool fits(const LaunchLimits& limits, std::int64_t blocks, int threads, std::size_t shared_bytes) {
    return blocks >= 1 && blocks <= limits.blocks && threads >= 1 && threads <= limits.threads &&
           static_cast<std::int64_t>(shared_bytes) <= limits.shared_bytes;
}

/// Blocks of `per_block` items that cover `items`; at least 1, since an empty grid is an error.
constexpr std::int64_t blocks_for(std::int64_t items, std::int64_t per_block) {
    return std::max<std::int64_t>(1, (items + per_block - 1) / per_block);
}

/// The same, but at most `limit` blocks, each of which then takes several shares.
constexpr std::int64_t blocks_for(std::int64_t items, std::int64_t per_block, std::int64_t limit) {
    return std::min(blocks_for(items, per_block), limit);
}

}  // namespace deepfreq::cuda
