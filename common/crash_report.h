#pragma once

namespace deepfreq {

/// From now on, a fatal signal (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT) prints a stack trace to stderr
/// before it ends the process. Does nothing under a sanitizer, which has its own report.
void report_crashes();

}  // namespace deepfreq
