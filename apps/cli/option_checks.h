#pragma once

#include <cstdint>
#include <functional>
#include <string>

// Checks of one option's text. They return a message that names what was found and what was expected, or an
// empty one if the text is valid.

namespace deepfreq {

/// As CLI::Option::check takes it.
using OptionCheck = std::function<std::string(const std::string&)>;

OptionCheck at_least(std::uint64_t least);
OptionCheck finite_above_zero();
OptionCheck finite_from_zero();
OptionCheck share_below_one();
OptionCheck not_empty();
/// The text parses: `parse` throws InputError for text that does not.
OptionCheck parses(std::function<void(const std::string&)> parse);

}  // namespace deepfreq
