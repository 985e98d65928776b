#pragma once

namespace deepfreq {

/// The first call of a program, while it has one thread: SIGINT, SIGTERM and SIGHUP go to a thread that waits
/// for them, and to no other. oneDNN's gemm keeps heap memory under its stack pointer, which a handler's
/// frame would overwrite. SIGHUP stays ignored where nohup has it so.
void wait_for_interrupts();

/// From now on the first of these signals sets interrupted(); a second ends the program at once, as any did
/// before.
void catch_interrupts();
bool interrupted();

}  // namespace deepfreq
