#include "python/src/interrupts.h"

#include <nanobind/nanobind.h>

namespace deepfreq::python {

bool Interrupts::pending() {
    if (found_ || std::this_thread::get_id() != caller_ || Clock::now() < next_) return found_;
    const nanobind::gil_scoped_acquire gil;
    found_ = PyErr_CheckSignals() != 0;
    next_ = Clock::now() + interval;
    return found_;
}

void Told::operator()(const std::string& name, double share) {
    if (interrupts_.pending() || (share < 1.0 && Clock::now() < next_)) return;
    next_ = Clock::now() + interval;
    const nanobind::gil_scoped_acquire gil;
    try {
        function_(name, share);
    } catch (nanobind::python_error& error) {
        error.restore();
        interrupts_.raised();
    }
}

}  // namespace deepfreq::python
