#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace deepfreq {

/// Splits an option's text at its commas; the result has one item more than there are commas.
std::vector<std::string> items_between_commas(const std::string& text);

/// The same, parsed as whole numbers. Throws InputError saying that `what` was expected.
std::vector<std::int64_t> whole_numbers_between_commas(const std::string& text, std::string_view what);

/// The same, parsed as finite numbers. Throws InputError naming the item that is not one.
std::vector<double> numbers_between_commas(const std::string& text);

/// The same, but each number may occur only once. Throws InputError naming the one that is repeated.
std::vector<double> distinct_numbers_between_commas(const std::string& text);

}  // namespace deepfreq
