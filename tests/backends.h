#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernels/backend.h"

namespace deepfreq::tests {

struct TestedBackend {
    std::string name;
    std::shared_ptr<Backend> backend;
};

/// The backends that can be used on this machine, opened once: the CPU always,
/// and CUDA (in $DEEPFREQ_TEST_PRECISION: fp32, tf32 or bf16) or, once, a message why not. Call it from
/// within a test case.
const std::vector<TestedBackend>& backends_present();

/// These, and the CPU in bf16: for what multiplies matrices or convolves, by bounds that depend on precision.
const std::vector<TestedBackend>& backends_in_all_precisions();

/// Checks on each of backends_present(); a failed check names its backend.
void for_each_backend(const std::function<void(Backend&)>& check);

/// The same on each of backends_in_all_precisions().
void in_all_precisions(const std::function<void(Backend&)>& check);

/// To be called before main returns: CUDA must not be used while static objects end.
void close_backends();

}  // namespace deepfreq::tests
