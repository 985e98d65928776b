#pragma once

#include <string>

#include "tests/backends.h"
#include "tests/checks.h"

// The gradients of the reference and of every backend against central differences of the reference's forward
// operations.

namespace deepfreq::tests {

/// d f / d x_i by central differences. Their error is h^2 / 6 times the third derivative and a rounding of
/// 1e-16 |f| / h: with h = 1e-5, about 1e-10 each for the functions here, which are of order 1.
template <class Function>
reference::Values numerical_gradient(const Function& f, reference::Values& x) {
    constexpr double h = 1e-5;
    reference::Values gradient;
    for (double& variable : x) {
        const double middle = variable;
        variable = middle + h;
        const double above = f();
        variable = middle - h;
        const double below = f();
        variable = middle;
        gradient.push_back((above - below) / (2.0 * h));
    }
    return gradient;
}

/// The reference's gradient must be the numerical one to 1e-8; a backend's may also err by what float32 does.
inline void check_gradient(const std::string& name, const reference::Values& numerical,
                           const reference::Estimate& of_reference) {
    check_close("reference " + name, of_reference.value,
                {numerical, reference::Values(numerical.size(), 1e-8)});
}

/// Whether factors are rounded to less than float32, which is not allowed for here: the tests of the table
/// have the bounds of that.
inline bool rounds_factors(const TestedBackend& tested) {
    return tested.backend->precision() != Precision::Float32;
}

inline reference::Estimate within_float32(const reference::Values& numerical,
                                          const reference::Estimate& float32) {
    reference::Estimate allowed{numerical, float32.error};
    for (double& error : allowed.error) error += 1e-8;
    return allowed;
}

}  // namespace deepfreq::tests
