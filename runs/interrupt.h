#pragma once

namespace deepfreq {

/// Must be a program's first call, while it has only one thread: SIGINT, SIGTERM and SIGHUP then go to a
/// thread that waits for them, and to no other. A signal handler would not do: oneDNN's gemm keeps heap
/// memory under its stack pointer, which the handler's frame would overwrite. SIGHUP stays ignored under
/// nohup.
void wait_for_interrupts();

/// From now on, the first of these signals sets interrupted(); a second one ends the program at once, as any
/// of them did before.
void catch_interrupts();
bool interrupted();

}  // namespace deepfreq
