#pragma once

#include <string>
#include <vector>

#include "oracle/experiment.h"

// A few rows of the table and a spectrum, checked against the reference within seconds: for `./run doctor`.

namespace deepfreq::oracle {

/// One call of an operation to be checked.
struct Trial {
    Experiment experiment;
    bool misaligned = false;
};

/// An operation and its calls; the last is the largest.
struct OperationTrials {
    std::string name;
    std::vector<Trial> trials;
};

/// Every operation of the contract, with the results that the reference expects of each call on a device that
/// computes in `precision`. Takes about a second.
std::vector<OperationTrials> self_check_trials(Precision precision = Precision::Float32);

struct CheckedOperation {
    std::string name;
    double error_share = 0.0;  ///< the largest error as a share of the tolerance; correct up to 1
    double seconds = 0.0;      ///< of the largest call when warm, including its transfers
    std::string complaint;     ///< the first fault found; empty when everything is correct
};

/// Runs the calls on a device. Never throws: an exception from the device becomes a complaint.
CheckedOperation check_operation(const OperationTrials& operation, Backend& backend);

}  // namespace deepfreq::oracle
