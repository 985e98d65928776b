#pragma once

#include <algorithm>
#include <cstdint>

namespace deepfreq::cuda {

/// Threads of a block where nothing speaks for another number.
inline constexpr int default_threads = 256;

/// The hardware takes no more blocks than this in one dimension.
inline constexpr std::int64_t most_blocks = 0x7FFFFFFF;

/// Blocks of `per_block` items that cover `items`; at least 1, since an empty grid is an error.
constexpr std::int64_t blocks_for(std::int64_t items, std::int64_t per_block) {
    return std::max<std::int64_t>(1, (items + per_block - 1) / per_block);
}

/// The same, but at most `limit` blocks, each of which then takes several shares.
constexpr std::int64_t blocks_for(std::int64_t items, std::int64_t per_block, std::int64_t limit) {
    return std::min(blocks_for(items, per_block), limit);
}

}  // namespace deepfreq::cuda
