#pragma once

#include <array>
#include <cstdint>

#include "common/host_device.h"

// The Random123 headers do not compile cleanly with -Wpedantic.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#include <Random123/philox.h>
#pragma GCC diagnostic pop

namespace deepfreq {

/// What a random sequence is used for: keeps the sequences of one seed apart.
enum class RandomUse : std::uint32_t {
    Weights = 1,
    Batches = 2,
    Split = 3,
    SyntheticDigits = 4,
    Functions = 5,
    SyntheticImages = 6,
    Augmentation = 7,
    Dropout = 8
};

/// Counter-based random numbers (Philox4x32-10): value `index` of sequence (seed, use, stream) is a pure
/// function of those four numbers, so host and device, and any number of threads, draw the same values.
class Philox {
  public:
    DEEPFREQ_HOST_DEVICE Philox(std::uint64_t seed, RandomUse use, std::uint32_t stream = 0)
        : key_{{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)}},
          use_(static_cast<std::uint32_t>(use)),
          stream_(stream) {}

    /// Four independent 32-bit words.
    DEEPFREQ_HOST_DEVICE r123::Philox4x32::ctr_type words(std::uint64_t index) const {
        const r123::Philox4x32::ctr_type counter = {
            {static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), stream_, use_}};
        return r123::Philox4x32{}(counter, key_);
    }

    /// One 64-bit word.
    DEEPFREQ_HOST_DEVICE std::uint64_t word64(std::uint64_t index) const {
        const auto w = words(index);
        return static_cast<std::uint64_t>(w[1]) << 32 | w[0];
    }

    /// Uniform in (0, 1): never 0, so that its logarithm is finite.
    double uniform(std::uint64_t index) const;

    /// Standard normal (Box-Muller in double).
    double normal(std::uint64_t index) const;

  private:
    r123::Philox4x32::key_type key_;
    std::uint32_t use_;
    std::uint32_t stream_;
};

}  // namespace deepfreq
