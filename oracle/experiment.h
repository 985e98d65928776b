#pragma once

#include <functional>
#include <string>
#include <vector>

#include "oracle/cases.h"
#include "oracle/reference.h"
#include "oracle/stage.h"

namespace deepfreq::oracle {

using Floats = std::vector<float>;

/// `count` normal numbers of standard deviation `scale`; a pure function of (seed, stream).
Floats normals(std::uint64_t seed, std::uint32_t stream, std::int64_t count, double scale = 1.0);

/// The same numbers in double, for the reference.
reference::Values widened(const Floats& values);

/// n rows of c targets that sum to 1, alternately one-hot and soft.
Floats targets(std::uint64_t seed, std::int64_t n, std::int64_t c);

/// One call of an operation, and the expected content of each output.
struct Experiment {
    std::function<void(Backend&, Stage&)> call;
    struct Expected {
        std::string output;
        reference::Estimate estimate;
    };
    std::vector<Expected> expected;
};

Experiment experiment_of(const Case& c);

/// Calls the operation once in its own memory.
Outcome outcome_of(const Experiment& experiment, Backend& backend, bool misaligned = false);

/// How far values are from the expected ones.
struct Deviation {
    double share = 0.0;  ///< the largest error as a share of the tolerance; correct up to 1
    std::string text;    ///< the worst value, the expected one and the tolerance

    bool allowed() const { return share <= 1.0; }
};

/// The worst of the values. A wrong number of values, and NaN, count as infinitely far.
Deviation deviation(const std::string& name, const std::vector<double>& found,
                    const reference::Estimate& expected);

/// The same for each output of the experiment, in order; a missing one counts as infinitely far.
std::vector<Deviation> deviations(const std::vector<Output>& found, const Experiment& experiment);

}  // namespace deepfreq::oracle
