#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace deepfreq {

/// A named way of running an experiment: a value for every option that determines its result.
struct Setting {
    std::string name;
    std::string meaning;                                       ///< one-line description
    std::vector<std::pair<std::string, std::string>> options;  ///< names without dashes, and values
};

/// The --setting option of an app. Individual flags override it. The first setting is the default.
class Settings {
  public:
    explicit Settings(std::vector<Setting> all);

    /// Declares --setting, lists all settings at the end of --help and, for --help, takes the defaults of the
    /// options it names from the first setting. Call after all other options are declared.
    void add_to(CLI::App& app);

    /// Sets the options that are still open to the values of the chosen setting.
    void apply(CLI::App& app) const;

    /// For the manifest, once all options have their values: the setting's name, and those of its options
    /// whose values differ from it, with these values.
    nlohmann::json facts(const CLI::App& app) const;

    /// The same on one line, for the log.
    std::string description(const CLI::App& app) const;

    const std::string& chosen() const { return chosen_; }

  private:
    const Setting& setting() const;

    std::vector<Setting> all_;
    std::string chosen_;
};

}  // namespace deepfreq
