#include "apps/cli/lists.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "common/error.h"

namespace deepfreq {

std::vector<std::string> items_between_commas(const std::string& text) {
    std::vector<std::string> items;
    for (std::string_view rest = text, item;; rest.remove_prefix(item.size() + 1)) {
        item = rest.substr(0, rest.find(','));
        items.emplace_back(item);
        if (item.size() == rest.size()) return items;
    }
}

std::vector<std::int64_t> whole_numbers_between_commas(const std::string& text, std::string_view what) {
    std::vector<std::int64_t> numbers;
    for (const std::string& item : items_between_commas(text)) {
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), number);
        if (error != std::errc{} || end != item.data() + item.size())
            throw InputError("'{}' found, {} between commas expected", text, what);
        numbers.push_back(number);
    }
    return numbers;
}

std::vector<double> numbers_between_commas(const std::string& text) {
    std::vector<double> numbers;
    for (const std::string& item : items_between_commas(text)) {
        double number = 0.0;
        const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), number);
        if (error != std::errc{} || end != item.data() + item.size() || !std::isfinite(number))
            throw InputError("'{}' found in '{}', finite numbers between commas expected", item, text);
        numbers.push_back(number);
    }
    return numbers;
}

std::vector<double> distinct_numbers_between_commas(const std::string& text) {
    std::vector<double> numbers = numbers_between_commas(text);
    for (auto number = numbers.begin(); number != numbers.end(); ++number)
        if (std::find(numbers.begin(), number, *number) != number)
            throw InputError("{} found twice in '{}', each number once expected", *number, text);
    return numbers;
}

}  // namespace deepfreq
