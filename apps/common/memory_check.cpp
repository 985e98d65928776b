#include "apps/common/memory_check.h"

#include "common/error.h"

namespace deepfreq {

// Said before anything is allocated, for a host may promise memory that it has not.
void check_network_fits(const Kernels& kernels, std::string_view option, std::int64_t depth,
                        std::int64_t width, std::int64_t copies) {
    constexpr double layer_itself = 2048.0;  // what is kept on the host: it matters for very narrow layers
    const auto units = static_cast<double>(width);
    const double needed =
        (16.0 * units * units + layer_itself) * static_cast<double>(depth) * static_cast<double>(copies);
    const auto free = static_cast<double>(kernels.free_bytes());
    if (needed > free)
        throw InputError(
            "{} {} at --width {} needs {:.3g} GiB for weights, gradients and Adam's moments, and {:.3g} GiB "
            "are free: choose a smaller {} or --width",
            option, depth, width, needed / 0x1p30, free / 0x1p30, option);
}

}  // namespace deepfreq
