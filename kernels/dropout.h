#pragma once

#include <algorithm>
#include <cmath>

#include "common/philox.h"
#include "kernels/ops/elementwise.h"

namespace deepfreq {

/// Which elements of a tensor dropout keeps: written once for both backends. A pure function of (seed,
/// stream, update, element), so that the backward pass and a resumed run get the same mask without storing
/// it.
class DropoutMask {
  public:
    /// Number of neighbouring elements that share one draw of four 32-bit words, using 16 bits each.
    static constexpr int group = 8;

    explicit DropoutMask(const DropoutParams& params)
        : random_(params.seed, RandomUse::Dropout, params.stream),
          dropped_(static_cast<std::uint32_t>(std::min(std::lround(params.rate * 65536.0), 65535L))),
          scale_(65536.0F / static_cast<float>(65536U - dropped_)) {}

    /// The factors for the elements 8 g … 8 g + 7: each is 0 or 1 / (1 - rate).
    DEEPFREQ_HOST_DEVICE void draw(std::int64_t update, std::int64_t g, float factor[group]) const {
        const auto word = random_.words(static_cast<std::uint64_t>(update) << 32U |
                                        (static_cast<std::uint64_t>(g) & 0xFFFFFFFFU));
        for (int k = 0; k < 4; ++k) {
            factor[2 * k] = factor_of(word[k] & 0xFFFFU);
            factor[2 * k + 1] = factor_of(word[k] >> 16U);
        }
    }

  private:
    /// Branch-free, because a branch would be mispredicted for most dropped elements: the top bit of the
    /// difference is 1 if `bits` is not below dropped_.
    DEEPFREQ_HOST_DEVICE float factor_of(std::uint32_t bits) const {
        return static_cast<float>((dropped_ - 1U - bits) >> 31U) * scale_;
    }

    Philox random_;
    std::uint32_t dropped_;  ///< out of 65536
    float scale_;
};

}  // namespace deepfreq
