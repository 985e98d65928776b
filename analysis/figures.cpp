#include "analysis/figures.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
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

void FigureDrawing::begin(const std::filesystem::path& script, const std::filesystem::path& run) {
    if (child_ != 0) {
        siginfo_t ended{};
        const int error = waitid(P_PID, static_cast<id_t>(child_), &ended, WEXITED | WNOHANG | WNOWAIT);
        if (error == 0 && ended.si_pid == 0) return;
        finish();
    }
    const std::string interpreter = python();
    std::string words[] = {interpreter, script.string(), run.string()};
    char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    command_ = interpreter + " " + script.string();
    // A group of its own: Ctrl-C is for the run. Signals that the run's threads have blocked reach it.
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    const int error = posix_spawnp(&child_, interpreter.c_str(), nullptr, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    failure_ =
        error == 0 ? "" : fmt::format("no figures: {} does not start: {}", interpreter, std::strerror(error));
    if (error != 0) child_ = 0;
}

std::string FigureDrawing::finish() {
    if (child_ == 0) return failure_;
    int status = 0;
    while (waitpid(child_, &status, 0) < 0 && errno == EINTR) continue;
    child_ = 0;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        failure_ = fmt::format(
            "no figures: {} failed; python3-matplotlib is needed, $DEEPFREQ_PYTHON names another Python",
            command_);
    return failure_;
}

std::string draw_figures(const std::filesystem::path& script, const std::filesystem::path& run) {
    FigureDrawing drawing;
    drawing.begin(script, run);
    return drawing.finish();
}

}  // namespace deepfreq
