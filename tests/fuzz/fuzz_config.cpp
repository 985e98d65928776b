#include <CLI/CLI.hpp>

#include "apps/cli/config_file.h"
#include "tests/fuzz/input_file.h"

// Files of options. What is understood is written and read back as it is.

using namespace deepfreq;

namespace {

struct Options {
    CLI::App app = CLI::App("description", "app");
    std::string text = "500x5", data;
    std::uint64_t seed = 0;
    double rate = 1e-5;
    bool flag = false, other = false;
    std::string mode = "no";

    Options() {
        app.option_defaults()->always_capture_default()->multi_option_policy(
            CLI::MultiOptionPolicy::TakeLast);
        app.add_option("--hidden", text);
        app.add_option("--data", data);
        app.add_option("--seed", seed);
        app.add_option("--learning-rate,--lr", rate);
        app.add_flag("--no-figures", flag);
        app.add_flag("--gradient-norms,!--no-gradient-norms", other)->default_str("false");
        app.add_flag("--residual{yes}", mode)->default_str("no");
        app.add_option("--out")->configurable(false);
        app.parse("");
    }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const fuzz::InputFile file;
    fuzz::refuse_or([&] {
        Options given, again;
        take_options_of_file(given.app, file.holding({data, size}));
        const std::string written = options_as_toml(given.app);
        try {
            take_options_of_file(
                again.app,
                file.holding({reinterpret_cast<const std::uint8_t*>(written.data()), written.size()}));
        } catch (const InputError& error) {
            fmt::print(stderr, "{}\n{}\n", written, error.what());
            fuzz::require(false);
        }
        fuzz::require(options_as_toml(again.app) == written);
        fuzz::require(again.data == given.data && again.text == given.text && again.seed == given.seed);
    });
    return 0;
}
