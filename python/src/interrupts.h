#pragma once

#include <nanobind/nanobind.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

namespace deepfreq::python {

/// Whether Ctrl-C, or another signal whose handler raised, is to end what is computed without the GIL.
class Interrupts {
  public:
    /// From any thread, however often: Python is asked by the thread that made this, 20 times a second.
    /// When it says so, its exception is set.
    bool pending();
    /// What follows ends as by Ctrl-C. Python's exception is set.
    void raised() { found_ = true; }

  private:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::milliseconds interval{50};

    std::thread::id caller_ = std::this_thread::get_id();
    Clock::time_point next_ = Clock::now() + interval;
    std::atomic<bool> found_ = false;
};

/// Tells a function of Python's how far a measurement is.
class Told {
  public:
    /// `function(name, share)`, or None. It and the interrupts outlive this.
    Told(const nanobind::object& function, Interrupts& interrupts)
        : function_(function), interrupts_(interrupts) {}

    /// By the thread that called, without the GIL; ten times a second, and at the end. What the function
    /// raises ends the measurement.
    void operator()(const std::string& name, double share);

  private:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::milliseconds interval{100};

    const nanobind::object& function_;
    Interrupts& interrupts_;
    Clock::time_point next_ = Clock::now();
};

}  // namespace deepfreq::python
