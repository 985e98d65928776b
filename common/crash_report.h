#pragma once

namespace deepfreq {

/// From now on a fatal signal (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT) writes the calls that led to it to
/// stderr before it ends the process. Does nothing under a sanitizer, which has a report of its own.
void report_crashes();

}  // namespace deepfreq
