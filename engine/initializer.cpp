#include "engine/initializer.h"

#include <charconv>
#include <cmath>

#include "common/error.h"
#include "common/philox.h"

namespace deepfreq {
namespace {

double standard_deviation(const Initializer& initializer, double fan_in, double fan_out) {
    switch (initializer.kind) {
        case Initializer::Kind::GlorotNormal:
        case Initializer::Kind::GlorotUniform:
            return std::sqrt(2.0 / (fan_in + fan_out));
        case Initializer::Kind::He:
            return std::sqrt(2.0 / fan_in);
        case Initializer::Kind::LeCun:
            return std::sqrt(1.0 / fan_in);
        case Initializer::Kind::Normal:
            return initializer.stddev;
    }
    throw InputError("an initialiser of kind {} is unknown", static_cast<int>(initializer.kind));
}

}  // namespace

void Initializer::fill(std::span<float> w, std::int64_t fan_in, std::int64_t fan_out, std::uint64_t seed,
                       std::uint32_t stream) const {
    const Philox random(seed, RandomUse::Weights, stream);
    const double deviation =
        standard_deviation(*this, static_cast<double>(fan_in), static_cast<double>(fan_out));
    const double half_width = deviation * std::sqrt(3.0);  // of the uniform distribution with that deviation
    for (std::size_t i = 0; i < w.size(); ++i)
        w[i] = static_cast<float>(kind == Kind::GlorotUniform ? half_width * (2.0 * random.uniform(i) - 1.0)
                                                              : deviation * random.normal(i));
}

Initializer parse_initializer(std::string_view text) {
    using Kind = Initializer::Kind;
    if (text == "glorot-normal") return {Kind::GlorotNormal};
    if (text == "glorot-uniform") return {Kind::GlorotUniform};
    if (text == "he") return {Kind::He};
    if (text == "lecun") return {Kind::LeCun};
    if (text.starts_with("normal:")) {
        Initializer normal{Kind::Normal};
        const char* const last = text.data() + text.size();
        const auto [end, error] = std::from_chars(text.data() + 7, last, normal.stddev);
        if (error == std::errc{} && end == last && std::isfinite(normal.stddev) && normal.stddev > 0.0)
            return normal;
    }
    throw InputError(
        "the initialiser is '{}', expected glorot-normal, glorot-uniform, he, lecun or normal:SIGMA with "
        "SIGMA > 0",
        text);
}

}  // namespace deepfreq
