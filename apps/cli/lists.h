#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace deepfreq {

/// What stands between the commas of one option's text; one item more than there are commas.
std::vector<std::string> items_between_commas(const std::string& text);

/// The same as whole numbers. Throws InputError naming `what` was expected.
std::vector<std::int64_t> whole_numbers_between_commas(const std::string& text, std::string_view what);

/// The same as finite numbers. Throws InputError naming the item that is none.
std::vector<double> numbers_between_commas(const std::string& text);

/// The same, each of which may occur but once. Throws InputError naming the one that occurs again.
std::vector<double> distinct_numbers_between_commas(const std::string& text);

}  // namespace deepfreq
