#pragma once

#include <algorithm>
#include <cmath>

#include "common/philox.h"
#include "kernels/ops/elementwise.h"

namespace deepfreq {

/// Which elements of a tensor dropout keeps: written once for both backends. A pure function of (seed,
/// stream, update, element), so that the backward pass and a resumed run find the same mask without its being
/// stored.
class DropoutMask {
  public:
    /// So many neighbouring elements share one draw of four 32-bit words, 16 bits each.
    static constexpr int group = 8;

    explicit DropoutMask(const DropoutParams& params)
        : random_(params.seed, RandomUse::Dropout, params.stream),
          dropped_(static_cast<std::uint32_t>(std::min(std::lround(params.rate * 65536.0), 65535L))),
          scale_(65536.0F / static_cast<float>(65536U - dropped_)) {}

    /// What the elements 8 g … 8 g + 7 are multiplied by: 0, or 1 / (1 - rate).
    DEEPFREQ_HOST_DEVICE void draw(std::int64_t update, std::int64_t g, float factor[group]) const {
        const auto word = random_.words(static_cast<std::uint64_t>(update) << 32U |
                                        (static_cast<std::uint64_t>(g) & 0xFFFFFFFFU));
        for (int k = 0; k < 4; ++k) {
            factor[2 * k] = factor_of(word[k] & 0xFFFFU);
            factor[2 * k + 1] = factor_of(word[k] >> 16U);
        }
    }

  private:
    /// By arithmetic, where a branch would be mispredicted at most elements that are dropped: the top bit of
    /// the difference is 1 where `bits` is not below dropped_.
    DEEPFREQ_HOST_DEVICE float factor_of(std::uint32_t bits) const {
        return static_cast<float>((dropped_ - 1U - bits) >> 31U) * scale_;
    }

    Philox random_;
    std::uint32_t dropped_;  ///< of 65536
    float scale_;
};

}  // namespace deepfreq
