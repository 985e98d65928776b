#include "oracle/dry_run.h"

namespace deepfreq::oracle {

void* DryRun::allocate_bytes(std::size_t bytes) {
    constexpr std::size_t first = std::size_t{1} << 40;  // address aligned to 256 bytes, as CUDA's are
    // Nobody reads from this address.
    void* const address = reinterpret_cast<void*>(first + bytes_);  // NOLINT(performance-no-int-to-ptr)
    bytes_ += (bytes + 255) / 256 * 256;
    return address;
}

std::size_t DryRun::free_bytes() const {
    return std::size_t{1} << 40;
}

}  // namespace deepfreq::oracle
