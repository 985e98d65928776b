#pragma once

#include <atomic>
#include <chrono>
#include <thread>

namespace deepfreq::python {

/// Whether Ctrl-C, or another signal whose handler raised, is to end what is computed without the GIL.
class Interrupts {
  public:
    /// From any thread, however often: Python is asked by the thread that made this, 20 times a second.
    /// When it says so, its exception is set.
    bool pending();

  private:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::milliseconds interval{50};

    std::thread::id caller_ = std::this_thread::get_id();
    Clock::time_point next_ = Clock::now() + interval;
    std::atomic<bool> found_ = false;
};

}  // namespace deepfreq::python
