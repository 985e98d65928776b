#pragma once

#include <string>
#include <vector>

#include "oracle/experiment.h"

// A few rows of the table and a spectrum, checked against the reference in seconds: for `./run doctor`.

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

/// Every operation of the contract, with what the reference expects of each call on a device that computes in
/// `precision`. Takes about a second.
std::vector<OperationTrials> self_check_trials(Precision precision = Precision::Float32);

struct CheckedOperation {
    std::string name;
    double error_share = 0.0;  ///< the largest error as a share of what is allowed; right up to 1
    double seconds = 0.0;      ///< of the largest call when warm, its transfers included
    std::string complaint;     ///< the first thing found wrong; empty when all is right
};

/// Runs the calls on a device. Never throws: what the device throws is a complaint.
CheckedOperation check_operation(const OperationTrials& operation, Backend& backend);

}  // namespace deepfreq::oracle
