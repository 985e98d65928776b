#include "common/crash_report.h"

#include <execinfo.h>
#include <unistd.h>

#include <array>
#include <csignal>

namespace deepfreq {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
void report_crashes() {}  // the sanitizer reports them
#else
namespace {

/// Calls only functions that are allowed in a signal handler.
void report(int signal) {
    std::array<void*, 64> calls{};
    const int count = backtrace(calls.data(), static_cast<int>(calls.size()));
    backtrace_symbols_fd(calls.data(), count, STDERR_FILENO);
    raise(signal);  // its default action is in place again
}

}  // namespace

void report_crashes() {
    std::array<void*, 1> none{};
    backtrace(none.data(), 1);  // loads what it needs now, which a handler must not do
    struct sigaction action {};
    action.sa_handler = report;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT}) sigaction(signal, &action, nullptr);
}
#endif

}  // namespace deepfreq
