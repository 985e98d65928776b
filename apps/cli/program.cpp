#include "apps/cli/program.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <new>

#include "apps/cli/advice.h"
#include "common/crash_report.h"
#include "common/error.h"
#include "runs/interrupt.h"

namespace deepfreq {
namespace {

int fail(int status, const char* sentence) {
    std::fflush(stdout);
    fmt::print(stderr, "error: {}\n", sentence);
    return status;
}

// If the caller closed any of descriptors 0 to 2, the first files opened would get their numbers, and output
// meant for stdout would go into them.
void open_standard_descriptors() {
    for (int descriptor = 0; descriptor <= 2; ++descriptor)
        if (fcntl(descriptor, F_GETFD) < 0) open("/dev/null", O_RDWR);  // takes the lowest free number
}

}  // namespace

int run_program(const std::string& name, const std::string& description, int argc, char** argv,
                const std::function<void(CLI::App&)>& add_options,
                const std::function<void(CLI::App&, const Command&)>& body) {
    open_standard_descriptors();
    wait_for_interrupts();
    report_crashes();
    spdlog::set_pattern("%v");
    CLI::App app(description, name);
    app.get_formatter()->column_width(36);
    app.option_defaults()->always_capture_default()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    add_options(app);
    try {
        app.parse(argc, argv);
        body(app, {name, {argv, argv + argc}});
        return 0;
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return app.exit(error);  // --help
        return fail(2, fmt::format("{} ({} --help lists the options)", error.what(), app.get_name()).c_str());
    } catch (const InputError& error) {
        return fail(2, with_advice(error).c_str());
    } catch (const Error& error) {
        return fail(1, with_advice(error).c_str());
    } catch (const std::filesystem::filesystem_error& error) {
        return fail(2, fmt::format("{}: {}", error.path1().string(), error.code().message()).c_str());
    } catch (const std::bad_alloc&) {
        return fail(1, "out of host memory: fewer samples or a smaller network need less");
    } catch (const std::exception& error) {
        return fail(1, error.what());
    }
}

}  // namespace deepfreq
