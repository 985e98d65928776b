#include "apps/cli/option_checks.h"

#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "common/error.h"

namespace deepfreq {
namespace {

template <class Number>
std::optional<Number> whole_text_as(const std::string& text) {
    Number value{};
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, value);
    if (error != std::errc{} || end != last) return std::nullopt;
    return value;
}

OptionCheck finite(bool (*in_range)(double), const char* range) {
    return [=](const std::string& text) {
        const auto value = whole_text_as<double>(text);
        return value && std::isfinite(*value) && in_range(*value)
                   ? std::string{}
                   : fmt::format("'{}' found, a finite number {} expected", text, range);
    };
}

}  // namespace

OptionCheck at_least(std::uint64_t least) {
    return [least](const std::string& text) {
        const auto value = whole_text_as<std::uint64_t>(text);
        return value && *value >= least
                   ? std::string{}
                   : fmt::format("'{}' found, a whole number of at least {} expected", text, least);
    };
}

OptionCheck finite_above_zero() {
    return finite([](double value) { return value > 0.0; }, "above 0");
}

OptionCheck finite_from_zero() {
    return finite([](double value) { return value >= 0.0; }, "of at least 0");
}

OptionCheck share_below_one() {
    return finite([](double value) { return value >= 0.0 && value < 1.0; }, "of at least 0 and less than 1");
}

OptionCheck not_empty() {
    return [](const std::string& text) { return text.empty() ? "nothing found, a name expected" : ""; };
}

OptionCheck parses(std::function<void(const std::string&)> parse) {
    return [parse = std::move(parse)](const std::string& text) -> std::string {
        try {
            parse(text);
            return {};
        } catch (const InputError& error) {
            return error.what();
        }
    };
}

}  // namespace deepfreq
