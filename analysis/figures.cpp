#include "analysis/figures.h"

#include <fmt/ranges.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "common/error.h"

namespace deepfreq {
namespace {

std::string python() {
    const char* const chosen = std::getenv("DEEPFREQ_PYTHON");
    if (chosen != nullptr && *chosen != '\0') return chosen;
    return std::filesystem::exists("/usr/bin/python3") ? "/usr/bin/python3" : "python3";
}

// The last non-empty line of what was written to a file; only its last 4096 bytes are searched.
std::string last_line(int descriptor) {
    std::array<char, 4096> end{};
    const off_t size = lseek(descriptor, 0, SEEK_END);
    const ssize_t found =
        pread(descriptor, end.data(), end.size(), std::max<off_t>(0, size - std::ssize(end)));
    std::string_view text(end.data(), static_cast<std::size_t>(std::max<ssize_t>(found, 0)));
    text = text.substr(0, text.find_last_not_of("\r\n") + 1);
    return std::string(text.substr(text.find_last_of('\n') + 1));
}

}  // namespace

void FigureDrawing::ErrorFile::reset(int opened) {
    if (descriptor >= 0) ::close(descriptor);
    descriptor = opened;
}

void FigureDrawing::begin(const std::filesystem::path& script, const std::filesystem::path& run) {
    if (child_ != 0) {
        siginfo_t ended{};
        const int error = waitid(P_PID, static_cast<id_t>(child_), &ended, WEXITED | WNOHANG | WNOWAIT);
        if (error == 0 && ended.si_pid == 0) return;
        finish();
    }
    const std::string interpreter = python();
    // Without the user's PYTHONPATH, PYTHONHOME … and packages, so that the figures do not depend on them.
    std::string words[] = {interpreter, "-E", "-s", script.string(), run.string()};
    char* arguments[] = {words[0].data(), words[1].data(), words[2].data(),
                         words[3].data(), words[4].data(), nullptr};
    command_ = fmt::format("{}", fmt::join(words, " "));
    errors_.reset(memfd_create("figures", MFD_CLOEXEC));
    // In a process group of its own, since Ctrl-C is meant for the run. It also receives signals that the
    // run's threads block.
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    if (errors_.descriptor >= 0) posix_spawn_file_actions_adddup2(&files, errors_.descriptor, STDERR_FILENO);
    const int error = posix_spawnp(&child_, interpreter.c_str(), &files, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&files);
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
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return failure_;
    std::string reason = last_line(errors_.descriptor);
    if (reason.empty() && WIFSIGNALED(status)) reason = fmt::format("ended by signal {}", WTERMSIG(status));
    failure_ = fmt::format("no figures: {} ({})", reason.empty() ? "no reason is told" : reason, command_);
    return failure_;
}

std::string draw_figures(const std::filesystem::path& script, const std::filesystem::path& run) {
    FigureDrawing drawing;
    drawing.begin(script, run);
    return drawing.finish();
}

}  // namespace deepfreq
