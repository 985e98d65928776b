#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace deepfreq {

/// How weights begin; biases begin at 0. Variance of a weight, with the fans of its layer:
/// Glorot 2 / (in + out), He 2 / in, LeCun 1 / in, Normal stddev^2. All are normal but GlorotUniform, which
/// is uniform with Glorot's variance.
struct Initializer {
    enum class Kind { GlorotNormal, GlorotUniform, He, LeCun, Normal };
    Kind kind = Kind::GlorotNormal;
    double stddev = 0.0;  ///< standard deviation, of Normal only
    bool alike =
        false;  ///< weights of equal role and shape begin alike, within a network and between networks

    /// Fills w with values of sequence (seed, Weights, stream): a pure function of its arguments.
    void fill(std::span<float> w, std::int64_t fan_in, std::int64_t fan_out, std::uint64_t seed,
              std::uint32_t stream) const;
};

/// "glorot-normal", "glorot-uniform", "he", "lecun" or "normal:SIGMA". Throws InputError for anything else.
Initializer parse_initializer(std::string_view text);

}  // namespace deepfreq
