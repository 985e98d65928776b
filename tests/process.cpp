#include "tests/process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/files.h"

namespace deepfreq {

Process::Process(const std::string& program, const std::vector<std::string>& arguments,
                 std::filesystem::path folder)
    : folder_(std::move(folder)) {
    // The tests lie among the programs they test, wherever the build was carried.
    const std::filesystem::path bin = std::filesystem::read_symlink("/proc/self/exe").parent_path();
    std::vector<std::string> words = {(bin / program).string()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    pointers.reserve(words.size() + 1);
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    const std::string out = (folder_ / "stdout").string();
    const std::string err = (folder_ / "stderr").string();
    // A signal that comes before the program is there is not for the handlers of doctest.
    sigset_t all, before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    child_ = ::fork();
    if (child_ == 0) {
        for (const int number : {SIGINT, SIGTERM})
            if (::signal(number, SIG_DFL) == SIG_IGN) ::signal(number, SIG_IGN);
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), STDOUT_FILENO);
        ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), STDERR_FILENO);
        ::execv(pointers[0], pointers.data());
        ::_exit(127);
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    REQUIRE(child_ >= 0);
}

Process::~Process() {
    if (child_ == 0) return;
    signal(SIGKILL);
    wait();
}

void Process::signal(int number) const {
    ::kill(child_, number);
}

int Process::wait() {
    int status = 0;
    rusage used{};
    REQUIRE(::wait4(child_, &status, 0, &used) == child_);
    child_ = 0;
    peak_bytes_ = std::int64_t{used.ru_maxrss} * 1024;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string Process::output() const {
    return text_of(folder_ / "stdout");
}

std::string Process::errors() const {
    return text_of(folder_ / "stderr");
}

}  // namespace deepfreq
