#pragma once

#include <filesystem>
#include <string>

namespace CLI {
class App;
}

namespace deepfreq {

/// Every option that a file may give, with its value, in TOML: take_options_of_file() reads it back exactly.
/// A text that is not UTF-8 is written as { percent-encoded = "caf%E9" }.
std::string options_as_toml(const CLI::App& app);

/// Gives the options that were not given yet the values that a TOML file has for them: texts, numbers, true
/// or false, lists for what has commas on the command line. Throws InputError naming file, line and key for
/// whatever is not understood: other formats, tables, unknown keys, values that the option refuses.
void take_options_of_file(CLI::App& app, const std::filesystem::path& path);

}  // namespace deepfreq
