#pragma once

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "oracle/experiment.h"

// What the oracle finds (oracle/experiment.h), as checks of a test case.

namespace deepfreq::tests {

using namespace oracle;

constexpr float nan = std::numeric_limits<float>::quiet_NaN();

/// Calls the operation once in memory of its own; checks that nothing but the outputs changed.
std::vector<Output> outputs_of(const Experiment& experiment, Backend& backend, bool misaligned = false);

/// The values of the outputs of one call, by name.
std::map<std::string, std::vector<double>> values_of(Backend& backend,
                                                     const std::function<void(Backend&, Stage&)>& call);

/// Checks values against an estimate; the message names the worst of them.
void check_close(const std::string& name, const std::vector<double>& found,
                 const reference::Estimate& expected);

/// Checks every output of the experiment.
void check_close(const std::vector<Output>& found, const Experiment& experiment);

}  // namespace deepfreq::tests
