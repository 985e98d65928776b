#pragma once

namespace deepfreq {

/// Set by SIGINT and SIGTERM once catch_interrupts() was called; a second signal ends the program at once.
bool interrupted();
void catch_interrupts();

}  // namespace deepfreq
