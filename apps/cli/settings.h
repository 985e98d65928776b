#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace deepfreq {

/// A way of running an experiment that has a name: a value for every option that decides its result.
struct Setting {
    std::string name;
    std::string meaning;                                       ///< in one line
    std::vector<std::pair<std::string, std::string>> options;  ///< name without dashes, and value
};

/// The option --setting of an app, whose single flags override it. The first setting is the default.
class Settings {
  public:
    explicit Settings(std::vector<Setting> all);

    /// Declares --setting, lists all settings at the end of --help and gives the options it names the
    /// defaults of the first one, for --help. After all other options are declared.
    void add_to(CLI::App& app);

    /// Gives the options that are still open the values of the setting chosen.
    void apply(CLI::App& app) const;

    /// For the manifest, once all options have their values: the setting's name, and which of its options
    /// have other values, and which.
    nlohmann::json facts(const CLI::App& app) const;

    /// The same in one line for the log.
    std::string description(const CLI::App& app) const;

    const std::string& chosen() const { return chosen_; }

  private:
    const Setting& setting() const;

    std::vector<Setting> all_;
    std::string chosen_;
};

}  // namespace deepfreq
