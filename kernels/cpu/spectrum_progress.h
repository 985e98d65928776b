#pragma once

#include <omp.h>

#include <atomic>
#include <cstdint>
#include <functional>

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

  private:
    const std::function<bool()>& stop_;
    const std::function<void(double)>* told_;
    std::int64_t steps_;
    std::atomic<std::int64_t> done_ = 0;
    std::atomic<bool> stopped_ = false;
};

}  // namespace deepfreq::spectrum
