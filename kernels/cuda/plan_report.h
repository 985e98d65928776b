#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/cuda/convolution_task.h"

// Which plans cuDNN has for convolutions on a GPU that need not be in this machine. Free of CUDA's headers.

namespace deepfreq::cuda {

/// What became of the configurations that cuDNN proposed for a task.
struct PlanTally {
    int proposed = 0;
    int unwanted = 0;      ///< different bits every time, or less precise than asked for
    int not_finished = 0;  ///< cuDNN cannot make the plan
    int too_large = 0;     ///< needs more than largest_workspace
    int failed = 0;        ///< refused when it was run
    std::string reason;    ///< cuDNN's, for the last of those not finished or failed

    int possible() const { return proposed - unwanted - not_finished - too_large - failed; }
    /// In one line.
    std::string text() const;
};

/// A plan may ask for no more than this. ResNet-18 takes half of it at batch 256.
inline constexpr std::int64_t largest_workspace = std::int64_t{256} << 20;

/// A GPU by the properties that cuDNN wants to know of it, as JSON.
struct DescribedDevice {
    std::string name, properties;
};

/// The devices that come with the program: kernels/cuda/devices/.
const std::vector<DescribedDevice>& described_devices();

/// Empty if plans can be made for a device that is not in this machine; otherwise why not.
std::string no_plan_reports();

/// How a task would be done.
struct PlanReport {
    PlanTally tally;                   ///< of what cuDNN proposes; every engine only if that has no plan
    std::int64_t engine = -1;          ///< cuDNN's number for the first plan's; -1 if there is none
    std::int64_t workspace_bytes = 0;  ///< of the first plan, copies of rounded factors included

    bool found() const { return engine >= 0; }
};

/// One report per task. Throws InputError if no_plan_reports() gives a reason, and with cuDNN's reason if it
/// refuses the properties.
std::vector<PlanReport> report_plans(std::string_view properties, std::span<const ConvolutionTask> tasks,
                                     Precision precision);

}  // namespace deepfreq::cuda
