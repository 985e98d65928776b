#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdint>

namespace deepfreq::tests {

/// What std::barrier does, for more threads than cores. libstdc++'s yields its core again and again before it
/// sleeps, and whatever else runs then takes it for some milliseconds: beside three busy programs, 32 threads on
/// two cores meet in 2.9 ms with std::barrier and in 0.12 ms with this (alone: 0.07 and 0.09 ms).
class HostBarrier {
  public:
    explicit HostBarrier(int members) : members_(members), missing_(members) {}
    HostBarrier(const HostBarrier&) = delete;
    HostBarrier& operator=(const HostBarrier&) = delete;

    /// Returns when all members have arrived.
    void arrive_and_wait() {
        const std::uint32_t phase = phase_;
        if (arrive()) return;
        while (phase_ == phase) futex(FUTEX_WAIT_PRIVATE, phase);
    }

    /// Arrives, and is no longer a member.
    void arrive_and_drop() {
        --members_;
        arrive();
    }

  private:
    /// True if it was the last to arrive.
    bool arrive() {
        if (--missing_ > 0) return false;
        missing_ = members_.load();
        ++phase_;
        futex(FUTEX_WAKE_PRIVATE, INT_MAX);
        return true;
    }

    void futex(int operation, std::uint32_t value) {
        static_assert(sizeof phase_ == sizeof(std::uint32_t) &&
                      std::atomic<std::uint32_t>::is_always_lock_free);
        ::syscall(SYS_futex, &phase_, operation, value, nullptr, nullptr, 0);
    }

    std::atomic<int> members_, missing_;
    std::atomic<std::uint32_t> phase_ = 0;
};

}  // namespace deepfreq::tests
