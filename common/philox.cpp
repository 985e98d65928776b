#include "common/philox.h"

#include <cmath>
#include <numbers>

namespace deepfreq {
namespace {

// 52 random bits, centred in their cell: exact in double, and inside (0, 1) at both ends.
double unit_interval(std::uint64_t word) {
    return (static_cast<double>(word >> 12) + 0.5) * 0x1p-52;
}

}  // namespace

double Philox::uniform(std::uint64_t index) const {
    return unit_interval(word64(index));
}

double Philox::normal(std::uint64_t index) const {
    const auto w = words(index);
    const double radius = unit_interval(static_cast<std::uint64_t>(w[1]) << 32 | w[0]);
    const double angle = unit_interval(static_cast<std::uint64_t>(w[3]) << 32 | w[2]);
    return std::sqrt(-2.0 * std::log(radius)) * std::cos(2.0 * std::numbers::pi * angle);
}

}  // namespace deepfreq
