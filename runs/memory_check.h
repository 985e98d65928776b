#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "engine/layer.h"
#include "kernels/backend.h"

namespace deepfreq {

/// Throws InputError unless `copies` networks of `depth` layers of one width fit into the memory free now.
/// For depths whose networks have not been built yet.
void check_network_fits(const Backend& backend, std::int64_t depth, std::int64_t width,
                        std::int64_t copies = 1);

/// The same for the network `name`, which has these layers.
void check_network_fits(const Backend& backend, std::string_view name,
                        std::span<const std::unique_ptr<Layer>> layers);

}  // namespace deepfreq
