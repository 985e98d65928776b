#pragma once

#include <cstddef>
#include <cstdint>

#include "common/philox.h"

namespace deepfreq {

/// Successive uniform draws of one sample of a synthetic set.
class Draws {
  public:
    Draws(std::uint64_t seed, RandomUse use, std::uint32_t sample) : random_(seed, use, sample) {}

    double between(double low, double high) { return low + (high - low) * random_.uniform(next_++); }
    double within(double amplitude) { return between(-amplitude, amplitude); }
    std::size_t below(std::size_t count) {
        return static_cast<std::size_t>(between(0.0, static_cast<double>(count)));
    }

  private:
    Philox random_;
    std::uint64_t next_ = 0;
};

}  // namespace deepfreq
