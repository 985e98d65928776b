#include "runs/manifest.h"

#include <fmt/core.h>
#include <spdlog/version.h>
#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "common/text_bytes.h"

namespace deepfreq {
namespace {

// "unknown" when the program runs outside its git checkout.
std::string git_revision() {
    const char* const command =
        "git -C '" DEEPFREQ_SOURCE_DIR "' describe --always --dirty --abbrev=40 2>/dev/null";
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(popen(command, "r"), pclose);
    std::array<char, 128> line{};
    if (!pipe || std::fgets(line.data(), line.size(), pipe.get()) == nullptr) return "unknown";
    const std::string text(line.data());
    return text.substr(0, text.find('\n'));
}

void encode_texts(nlohmann::json& json) {
    if (json.is_structured())
        for (nlohmann::json& item : json) encode_texts(item);
    else if (json.is_string() && !is_utf8(json.get_ref<const std::string&>()))
        json = {{percent_encoded_key, percent_encoded(json.get_ref<const std::string&>())}};
}

}  // namespace

std::string manifest_text(nlohmann::json manifest) {
    encode_texts(manifest);
    return manifest.dump(2) + '\n';
}

nlohmann::json manifest_of_program(const std::string& program) {
    return {
        {"app", program},
        {"version", DEEPFREQ_VERSION},
        {"git_revision", git_revision()},
        {"compiler", "g++ " __VERSION__},
        {"libraries",
         {{"fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)},
          {"spdlog", fmt::format("{}.{}.{}", SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH)}}}};
}

void add_device(nlohmann::json& manifest, const Backend& backend) {
    manifest["device"] = backend.description();
    manifest["precision"] =
        fmt::format("{}, sums over samples in float64", precision_name(backend.precision()));
}

std::string source_file(const std::string& relative) {
    for (const char* const place : {DEEPFREQ_SOURCE_DIR, DEEPFREQ_SHARED_DIR})
        if (const auto file = std::filesystem::path(place) / relative; std::filesystem::exists(file))
            return file;
    const auto program = std::filesystem::read_symlink("/proc/self/exe");
    return program.parent_path() / std::filesystem::path(relative).filename();
}

}  // namespace deepfreq
