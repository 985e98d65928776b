#include "apps/common/config_file.h"

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>
#include <CLI/CLI.hpp>

#include <cmath>
#include <sstream>

#include "common/error.h"
#include "common/text_bytes.h"
#include "data/files.h"

namespace deepfreq {
namespace {

/// One key of the file, and what a sentence about it begins with.
struct Entry {
    const std::filesystem::path* path;
    std::string_view key;
    const toml::node* value;

    template <class... Args>
    InputError refusal(fmt::format_string<Args...> text, Args&&... args) const {
        return InputError("{}: line {}: {}: {}", path->string(), value->source().begin.line, key,
                          fmt::format(text, std::forward<Args>(args)...));
    }
};

toml::table parse(const std::filesystem::path& path) {
    constexpr std::size_t largest = 1 << 20;
    const std::vector<std::uint8_t> bytes = read_bytes(path);
    if (bytes.size() > largest)
        throw InputError("{}: {} bytes found, a file of options has at most {}", path.string(), bytes.size(),
                         largest);
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    toml::parse_result result = toml::parse(text, path.string());
    if (result) return std::move(result).table();
    const toml::parse_error& error = result.error();
    std::istringstream lines{std::string(text)};
    std::string line;
    for (std::uint32_t i = 0; i < error.source().begin.line; ++i) std::getline(lines, line);
    constexpr std::size_t shown = 60;
    throw InputError(
        "{}: line {}: '{}' is not understood ({}): KEY = VALUE in TOML expected, as lr = 1e-5 or "
        "hidden = [50, 30]",
        path.string(), error.source().begin.line, line.substr(0, shown), error.description());
}

/// A number, a text, or true and false, in the words of the command line.
std::string word_of(const Entry& entry, const toml::node& node) {
    if (const auto text = node.value_exact<std::string>()) return *text;
    if (const auto whole = node.value_exact<std::int64_t>()) return fmt::format("{}", *whole);
    if (const auto number = node.value_exact<double>()) return fmt::format("{}", *number);
    if (const auto flag = node.value_exact<bool>()) return *flag ? "true" : "false";
    std::ostringstream type;
    type << node.type();
    throw entry.refusal("a TOML {} found, a text, a number, true, false or a list of them expected",
                        type.str());
}

/// The bytes of { percent-encoded = "…" }.
std::string decoded(const Entry& entry, const toml::table& table) {
    const auto text = table[percent_encoded_key].value_exact<std::string>();
    if (!text || table.size() != 1) throw entry.refusal("a table found, options without tables expected");
    const auto bytes = percent_decoded(*text);
    if (!bytes) throw entry.refusal("'{}' found, two hexadecimal digits behind every % expected", *text);
    return *bytes;
}

std::string text_of(const Entry& entry) {
    if (const toml::table* const table = entry.value->as_table()) return decoded(entry, *table);
    const toml::array* const list = entry.value->as_array();
    if (list == nullptr) return word_of(entry, *entry.value);
    std::string joined;
    for (const toml::node& item : *list) {
        std::string word = word_of(entry, item);
        if (word.empty() || word.find(',') != std::string::npos)
            throw entry.refusal("'{}' found in a list, items without commas expected", word);
        joined += (joined.empty() ? "" : ",") + word;
    }
    return joined;
}

/// An option of the command line without a value, or with one that may be left out.
bool is_flag(const CLI::Option& option) {
    return option.get_expected_min() == 0;
}

void take(CLI::App& app, const Entry& entry) {
    const std::string name = "--" + std::string(entry.key);
    CLI::Option* const option = app.get_option_no_throw(name);
    if (option == nullptr && entry.value->is_table())
        throw entry.refusal("a table found, options without tables expected");
    if (option == nullptr || option->get_lnames().empty())
        throw entry.refusal("there is no such option; {} --help lists them", app.get_name());
    if (!option->get_configurable()) throw entry.refusal("this option belongs on the command line");
    const std::string text = text_of(entry);
    if (entry.value->is_boolean() && !is_flag(*option))
        throw entry.refusal("{} found, a value as behind {} expected", text, name);
    if (option->count() > 0) return;
    try {
        option->add_result(is_flag(*option) ? option->get_flag_value(std::string(entry.key), text) : text);
        option->run_callback();
    } catch (const CLI::Error& error) {
        throw InputError("{}: line {}: {}", entry.path->string(), entry.value->source().begin.line,
                         error.what());
    }
}

/// What an option's text is in TOML: true, a number, or a text between quotes.
std::string toml_value(const std::string& text, bool flag) {
    if (!is_utf8(text)) return fmt::format("{{ {} = \"{}\" }}", percent_encoded_key, percent_encoded(text));
    if (flag && (text == "true" || text == "false")) return text;
    const toml::parse_result as_written = toml::parse("x = " + text);
    if (as_written && as_written.table().size() == 1 && as_written.table()["x"].is_number()) {
        // Only what is read back as it was: 007 or 1_000 are texts.
        const toml::node& number = *as_written.table()["x"].node();
        if (const auto whole = number.value_exact<std::int64_t>(); whole && fmt::format("{}", *whole) == text)
            return text;
        if (const auto real = number.value_exact<double>();
            real && std::isfinite(*real) && fmt::format("{}", *real) == text)
            return text;
    }
    std::ostringstream quoted;
    const toml::value<std::string> value(text);
    quoted << toml::toml_formatter{value, toml::format_flags::allow_unicode_strings};  // in one line
    return quoted.str();
}

}  // namespace

std::string options_as_toml(const CLI::App& app) {
    std::string toml;
    for (const CLI::Option* const option : app.get_options()) {
        if (!option->get_configurable() || option->get_lnames().empty()) continue;
        std::string value = option->count() > 0 ? option->results().back() : option->get_default_str();
        if (is_flag(*option) && value.empty()) value = "false";
        toml += fmt::format("{}={}\n", option->get_lnames().front(), toml_value(value, is_flag(*option)));
    }
    return toml;
}

void take_options_of_file(CLI::App& app, const std::filesystem::path& path) {
    const toml::table options = parse(path);
    // In the order of the lines, so that the first mistake is the one told.
    std::vector<Entry> entries;
    for (const auto& [key, value] : options) entries.push_back({&path, key.str(), &value});
    std::ranges::sort(entries, {}, [](const Entry& entry) { return entry.value->source().begin.line; });
    for (const Entry& entry : entries) take(app, entry);
}

}  // namespace deepfreq
