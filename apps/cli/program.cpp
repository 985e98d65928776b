#include "apps/cli/program.h"

#include <fcntl.h>
#include <spdlog/spdlog.h>

#include <charconv>
#include <cmath>
#include <filesystem>
#include <new>
#include <optional>

#include "apps/cli/advice.h"
#include "common/crash_report.h"
#include "common/error.h"
#include "runs/interrupt.h"
#include "runs/manifest.h"

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

template <class Number>
std::optional<Number> whole_text_as(const std::string& text) {
    Number value{};
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, value);
    if (error != std::errc{} || end != last) return std::nullopt;
    return value;
}

CLI::Validator finite(bool (*in_range)(double), const char* range) {
    return {[=](const std::string& text) {
                const auto value = whole_text_as<double>(text);
                return value && std::isfinite(*value) && in_range(*value)
                           ? std::string{}
                           : fmt::format("'{}' found, a finite number {} expected", text, range);
            },
            ""};
}

}  // namespace

int run_program(CLI::App& app, int argc, char** argv, const std::function<void()>& body) {
    open_standard_descriptors();
    wait_for_interrupts();
    report_crashes();
    spdlog::set_pattern("%v");
    try {
        app.parse(argc, argv);
        body();
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

nlohmann::json facts_of_command(int argc, char** argv) {
    return {{"command_line", std::vector<std::string>(argv, argv + argc)},
            {"libraries", {{"CLI11", CLI11_VERSION}}}};
}

nlohmann::json manifest_of_command(const std::string& program, int argc, char** argv) {
    nlohmann::json manifest = manifest_of_program(program);
    manifest.update(facts_of_command(argc, argv), true);
    return manifest;
}

CLI::Validator at_least(std::uint64_t least) {
    return {[least](const std::string& text) {
                const auto value = whole_text_as<std::uint64_t>(text);
                return value && *value >= least
                           ? std::string{}
                           : fmt::format("'{}' found, a whole number of at least {} expected", text, least);
            },
            ""};
}

CLI::Validator finite_above_zero() {
    return finite([](double value) { return value > 0.0; }, "above 0");
}

CLI::Validator finite_from_zero() {
    return finite([](double value) { return value >= 0.0; }, "of at least 0");
}

CLI::Validator share_below_one() {
    return finite([](double value) { return value >= 0.0 && value < 1.0; }, "of at least 0 and less than 1");
}

CLI::Validator not_empty() {
    return {[](const std::string& text) { return text.empty() ? "nothing found, a name expected" : ""; }, ""};
}

CLI::Validator parses(std::function<void(const std::string&)> parse, std::string kind) {
    return {[parse = std::move(parse)](const std::string& text) -> std::string {
                try {
                    parse(text);
                    return {};
                } catch (const InputError& error) {
                    return error.what();
                }
            },
            std::move(kind)};
}

}  // namespace deepfreq
