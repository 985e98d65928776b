#pragma once

#include <filesystem>
#include <string>

namespace CLI {
class App;
}

namespace deepfreq {

/// Every option that a file may set, with its value, as TOML that take_options_of_file() reads back exactly.
/// Text that is not UTF-8 is written as { percent-encoded = "caf%E9" }.
std::string options_as_toml(const CLI::App& app);

/// Sets the options not yet given to their values in a TOML file: strings, numbers, true or false, and lists
/// for what is comma-separated on the command line. Throws InputError naming file, line and key for anything
/// it does not understand: other formats, tables, unknown keys, values the option rejects.
void take_options_of_file(CLI::App& app, const std::filesystem::path& path);

}  // namespace deepfreq
