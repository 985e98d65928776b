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

/// How far a measurement has come and whether it should go on, shared by all its threads.
class Progress {
  public:
    /// For a measurement of this many steps. The functions are those of LowFrequencyParams and outlive this
    /// object.
    explicit Progress(const std::function<bool()>& stop, const std::function<void(double)>* told = nullptr,
                      std::int64_t steps = 1)
        : stop_(stop), told_(told), steps_(steps) {}

    /// Called by any thread, between two steps. Once `stop` has asked to stop, all threads get false.
    bool going_on() {
        if (!stopped_ && stop_ && stop_()) stopped_ = true;
        return !stopped_;
    }
    /// Called by any thread, after a step. Only the calling thread reports progress, and not for the last
    /// step, because that is not yet the end.
    void step() {
        const std::int64_t done = ++done_;
        if (told_ != nullptr && *told_ && done < steps_ && omp_get_thread_num() == 0)
            (*told_)(static_cast<double>(done) / static_cast<double>(steps_));
    }
    void throw_if_stopped() const {
        if (stopped_) throw Interrupted();
    }
    /// Called by every thread of a team after each round 0, 1, … in place of a barrier. Returns whether there
    /// is another round, the same for all threads. (If other processes want the processors, hundreds of
    /// barriers take a second.)
    bool another_after(std::int64_t round) {
#pragma omp master
        ended_[round % 2] = !going_on();
#pragma omp barrier
        return !ended_[round % 2];  // not overwritten until all reach the end of the next round
    }
    /// Called by every thread of a team in place of a barrier, after a long loop that does not end with one.
    /// The calling thread keeps asking `stop` until all have arrived: it may be the only one that gets an
    /// answer.
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
