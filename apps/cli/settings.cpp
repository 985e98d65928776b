#include "apps/cli/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/cli/option_checks.h"
#include "apps/cli/run_flags.h"
#include "common/error.h"

namespace deepfreq {
namespace {

std::optional<double> as_number(const std::string& text) {
    double number = 0.0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

// 1e-05 equals 1e-5.
bool same_value(const std::string& a, const std::string& b) {
    const auto left = as_number(a), right = as_number(b);
    return left && right ? *left == *right : a == b;
}

std::string value_of(const CLI::Option& option) {
    return option.count() > 0 ? option.results().back() : option.get_default_str();
}

// The options in lines, as they would be typed.
std::string listed(const Setting& setting) {
    std::string text = fmt::format("  {}: {}\n   ", setting.name, setting.meaning);
    std::size_t filled = 3;
    for (const auto& [name, value] : setting.options) {
        const std::string word = value == "true"    ? fmt::format(" --{}", name)
                                 : value == "false" ? fmt::format(" --no-{}", name)
                                                    : fmt::format(" --{} {}", name, value);
        if (filled + word.size() > 100) text += "\n   ", filled = 3;
        text += word;
        filled += word.size();
    }
    return text + '\n';
}

}  // namespace

Settings::Settings(std::vector<Setting> all) : all_(std::move(all)), chosen_(all_.front().name) {}

const Setting& Settings::setting() const {
    return *std::ranges::find(all_, chosen_, &Setting::name);
}

void Settings::add_to(CLI::App& app) {
    std::vector<std::string> names;
    for (const Setting& setting : all_) names.push_back(setting.name);
    app.add_option("--setting", chosen_,
                   fmt::format("{}: values for the options listed below, which single ones override",
                               fmt::join(names, " or ")))
        ->check(parses([names](const std::string& text) {
            if (std::ranges::find(names, text) == names.end())
                throw InputError("the setting is '{}', expected {}", text, fmt::join(names, " or "));
        }))
        ->group("Run");
    for (const auto& [name, value] : all_.front().options) app.get_option("--" + name)->default_str(value);
    std::string footer = "Settings:\n";
    for (const Setting& setting : all_) footer += listed(setting);
    app.footer(footer);
}

void Settings::apply(CLI::App& app) const {
    for (const auto& [name, value] : setting().options) default_to(app, "--" + name, value);
}

nlohmann::json Settings::facts(const CLI::App& app) const {
    nlohmann::json differs = nlohmann::json::object();
    for (const auto& [name, value] : setting().options)
        if (const std::string found = value_of(*app.get_option("--" + name)); !same_value(found, value))
            differs[name] = found;
    return {{"name", chosen_}, {"differs", differs}};
}

std::string Settings::description(const CLI::App& app) const {
    std::string text = fmt::format("{}: {}", chosen_, setting().meaning);
    const nlohmann::json facts_of_it = facts(app);
    std::string but;
    for (const auto& [name, value] : facts_of_it["differs"].items())
        but += fmt::format("{}--{} {}", but.empty() ? "" : ", ", name, value.get<std::string>());
    return but.empty() ? text : fmt::format("{}; but {}", text, but);
}

}  // namespace deepfreq
