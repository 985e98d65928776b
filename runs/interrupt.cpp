#include "runs/interrupt.h"

#include <atomic>
#include <csignal>
#include <thread>

namespace deepfreq {
namespace {

std::atomic<bool> catching = false;
std::atomic<bool> seen = false;

// Does what the signal does to a program that does not catch it: nothing where it is ignored.
void act_by_default(int signal, const sigset_t& waited_for) {
    pthread_sigmask(SIG_UNBLOCK, &waited_for, nullptr);
    std::raise(signal);
    pthread_sigmask(SIG_BLOCK, &waited_for, nullptr);
}

[[noreturn]] void wait_for(const sigset_t& signals) {
    for (;;) {
        int signal = 0;
        if (sigwait(&signals, &signal) != 0) continue;
        if (catching && !seen.exchange(true)) continue;
        if (seen) std::signal(signal, SIG_DFL);
        act_by_default(signal, signals);
    }
}

}  // namespace

void wait_for_interrupts() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    // An ignored signal that we wait for would still be delivered: a blocked signal stays
    // pending until it is taken.
    struct sigaction hangup {};
    sigaction(SIGHUP, nullptr, &hangup);
    if (hangup.sa_handler != SIG_IGN) sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // every thread created from here on inherits it
    std::thread(wait_for, signals).detach();
}

void catch_interrupts() {
    catching = true;
}

bool interrupted() {
    return seen;
}

}  // namespace deepfreq
