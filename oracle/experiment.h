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

/// n rows of c targets that sum to 1: one-hot and soft ones in turn.
Floats targets(std::uint64_t seed, std::int64_t n, std::int64_t c);

/// One call of an operation, and what each output must then hold.
struct Experiment {
    std::function<void(Backend&, Stage&)> call;
    struct Expected {
        std::string output;
        reference::Estimate estimate;
    };
    std::vector<Expected> expected;
};

Experiment experiment_of(const Case& c);

/// Calls the operation once in memory of its own.
Outcome outcome_of(const Experiment& experiment, Backend& backend, bool misaligned = false);

/// How far values are from what they must be.
struct Deviation {
    double share = 0.0;  ///< the largest error as a share of what is allowed there; right up to 1
    std::string text;    ///< the worst value, what was expected and how near

    bool allowed() const { return share <= 1.0; }
};

/// The worst of the values. Values of another number than expected, and NaN, are infinitely far.
Deviation deviation(const std::string& name, const std::vector<double>& found,
                    const reference::Estimate& expected);

/// The same for each output of the experiment, in its order; one that is missing is infinitely far.
std::vector<Deviation> deviations(const std::vector<Output>& found, const Experiment& experiment);

}  // namespace deepfreq::oracle
