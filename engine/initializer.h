#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace deepfreq {

/// How weights are initialised; biases start at 0. The variance of a weight, from the fans of its layer, is
/// 2 / (in + out) for Glorot, 2 / in for He, 1 / in for LeCun and stddev^2 for Normal. All distributions are
/// normal except GlorotUniform, which is uniform with Glorot's variance.
struct Initializer {
    enum class Kind { GlorotNormal, GlorotUniform, He, LeCun, Normal };
    Kind kind = Kind::GlorotNormal;
    double stddev = 0.0;  ///< standard deviation, of Normal only
    bool alike =
        false;  ///< weights of equal role and shape start out equal, within a network and between networks

    /// Fills w with values of the sequence (seed, Weights, stream): a pure function of its arguments.
    void fill(std::span<float> w, std::int64_t fan_in, std::int64_t fan_out, std::uint64_t seed,
              std::uint32_t stream) const;
};

/// "glorot-normal", "glorot-uniform", "he", "lecun" or "normal:SIGMA". Throws InputError for anything else.
Initializer parse_initializer(std::string_view text);

}  // namespace deepfreq
