#pragma once

#include <omp.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>

#include "common/error.h"

namespace deepfreq::spectrum {

/// How far a measurement has come and whether it is to go on, for all its threads.
class Progress {
  public:
    /// Of a measurement of so many steps. The functions are those of LowFrequencyParams, and outlive it.
    explicit Progress(const std::function<bool()>& stop, const std::function<void(double)>* told = nullptr,
                      std::int64_t steps = 1)
        : stop_(stop), told_(told), steps_(steps) {}

    /// From any thread, between two steps: once `stop` has said no, it is no for all of them.
    bool going_on() {
        if (!stopped_ && stop_ && stop_()) stopped_ = true;
        return !stopped_;
    }
    /// From any thread, after a step; the thread that called tells, but not of the last: that is not yet the
    /// end.
    void step() {
        const std::int64_t done = ++done_;
        if (told_ != nullptr && *told_ && done < steps_ && omp_get_thread_num() == 0)
            (*told_)(static_cast<double>(done) / static_cast<double>(steps_));
    }
    void throw_if_stopped() const {
        if (stopped_) throw Interrupted();
    }
    /// By every thread of a team, after each round 0, 1, … in place of a barrier: whether there is to be
    /// another, the same for all of them. (Where other processes want the processors, hundreds of barriers
    /// take a second.)
    bool another_after(std::int64_t round) {
#pragma omp master
        ended_[round % 2] = !going_on();
#pragma omp barrier
        return !ended_[round % 2];  // not written again before all have come to the next round's end
    }
    /// By every thread of a team, after a long loop that does not end with a barrier, in place of one. The
    /// thread that called goes on asking `stop` until all have come: it may be the only one that is answered.
    void meet() {
        ++came_;
        if (omp_get_thread_num() == 0) {
            expected_ += omp_get_num_threads();
            while (came_ < expected_) {
                going_on();
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
        }
#pragma omp barrier
    }

  private:
    const std::function<bool()>& stop_;
    const std::function<void(double)>* told_;
    std::int64_t steps_;
    std::atomic<std::int64_t> done_ = 0;
    std::atomic<bool> stopped_ = false;
    std::atomic<std::int64_t> came_ = 0;
    std::int64_t expected_ = 0;
    std::array<bool, 2> ended_{};
};

}  // namespace deepfreq::spectrum
