#include "analysis/figures.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "common/error.h"

namespace deepfreq {
namespace {

std::string python() {
    const char* const chosen = std::getenv("DEEPFREQ_PYTHON");
    if (chosen != nullptr && *chosen != '\0') return chosen;
    return std::filesystem::exists("/usr/bin/python3") ? "/usr/bin/python3" : "python3";
}

}  // namespace

std::string draw_figures(const std::filesystem::path& script, const std::filesystem::path& run) {
    const std::string interpreter = python();
    std::string words[] = {interpreter, script.string(), run.string()};
    char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    pid_t child = 0;
    if (const int error = posix_spawnp(&child, interpreter.c_str(), nullptr, nullptr, arguments, environ);
        error != 0)
        return fmt::format("no figures: {} does not start: {}", interpreter, std::strerror(error));
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
    return fmt::format(
        "no figures: {} {} failed; python3-matplotlib is needed, $DEEPFREQ_PYTHON names another Python",
        interpreter, script.string());
}

}  // namespace deepfreq
