#pragma once

#include <cstdint>
#include <string_view>

#include "kernels/kernels.h"

namespace deepfreq {

/// Throws InputError naming `option`, by which the depth was chosen, unless a network of `depth` layers of
/// --width fits into the memory free now, as often as `copies` says.
void check_network_fits(const Kernels& kernels, std::string_view option, std::int64_t depth,
                        std::int64_t width, std::int64_t copies = 1);

}  // namespace deepfreq
