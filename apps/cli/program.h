#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace deepfreq {

/// The main function of every app: parses the command line, runs `body`, and turns exceptions into one
/// sentence on stderr and the exit status: 0 success, 1 a failed run (RunError, out of memory), 2
/// wrong usage or input.
int run_program(CLI::App& app, int argc, char** argv, const std::function<void()>& body);

/// The same for an app with options: Flags::add_to(CLI::App&) declares them, and `body` gets their values.
/// An option may be given several times; the last one counts.
template <class Flags>
int run_app(const char* name, const char* description, int argc, char** argv,
            void (*body)(CLI::App& app, Flags& flags, int argc, char** argv)) {
    CLI::App app(description, name);
    app.get_formatter()->column_width(36);
    app.option_defaults()->always_capture_default()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    Flags flags;
    flags.add_to(app);
    return run_program(app, argc, argv, [&] { body(app, flags, argc, argv); });
}

/// What manifest.json records about the command: its words, and the version of the library that parsed them.
nlohmann::json facts_of_command(int argc, char** argv);
/// How the manifest of a program begins: manifest_of_program() and these facts.
nlohmann::json manifest_of_command(const std::string& program, int argc, char** argv);

/// @name Checks of one option's text, for CLI::Option::check
/// The error message names what was found and what was expected.
/// @{
CLI::Validator at_least(std::uint64_t least);
CLI::Validator finite_above_zero();
CLI::Validator finite_from_zero();
CLI::Validator share_below_one();
CLI::Validator not_empty();
/// The text parses: `parse` throws InputError for text that does not.
CLI::Validator parses(std::function<void(const std::string&)> parse, std::string kind);
/// @}

}  // namespace deepfreq
