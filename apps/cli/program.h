#pragma once

#include <functional>
#include <string>

#include "apps/cli/command.h"

// A source that is passed an App includes <CLI/App.hpp>, which compiles a second faster than <CLI/CLI.hpp>.
namespace CLI {
class App;
}

namespace deepfreq {

/// The main function of every app: declares the options with `add_options`, parses the command line, runs
/// `body`, and turns exceptions into one sentence on stderr and the exit status: 0 success, 1 a failed run
/// (RunError, out of memory), 2 wrong usage or input. An option may be given several times; the last one
/// counts.
int run_program(const std::string& name, const std::string& description, int argc, char** argv,
                const std::function<void(CLI::App&)>& add_options,
                const std::function<void(CLI::App&, const Command&)>& body);

/// The same with the options in a struct: Flags::add_to(CLI::App&) declares them, and `body` gets their
/// values.
template <class Flags>
int run_app(const char* name, const char* description, int argc, char** argv,
            void (*body)(CLI::App& app, Flags& flags, const Command& command)) {
    Flags flags;
    return run_program(
        name, description, argc, argv, [&](CLI::App& app) { flags.add_to(app); },
        [&](CLI::App& app, const Command& command) { body(app, flags, command); });
}

}  // namespace deepfreq
