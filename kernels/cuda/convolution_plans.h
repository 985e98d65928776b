#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "kernels/cuda/convolution_task.h"
#include "kernels/cuda/cudnn_descriptor.h"
#include "kernels/cuda/plan_device.h"
#include "kernels/cuda/plan_report.h"
#include "kernels/types.h"

// How cuDNN can do a convolution. The search for a plan is separate from running it, so that it can be tested
// without a GPU.

namespace deepfreq::cuda {

/// The ids of x, w and y (0, 1, 2) in a plan.
constexpr std::int64_t tensor_id(std::size_t place) {
    return static_cast<std::int64_t>(place) + 1;
}

/// One way of doing a convolution, ready to run.
struct ConvolutionPlan {
    Descriptor configuration;  ///< lives as long as the plan: cuDNN does not say that it copies it
    Descriptor execution;
    std::int64_t workspace_bytes;
    std::int64_t engine;  ///< cuDNN's number for it
};

/// Where to look for plans, best first.
enum class PlanSource { Heuristic, Fallback, EveryEngine };
inline constexpr PlanSource plan_sources[] = {PlanSource::Heuristic, PlanSource::Fallback,
                                              PlanSource::EveryEngine};

/// Alignment of all three tensors, in bytes. Plans can be made for less, but cannot be trusted: cuDNN 9.19
/// has some for 4 bytes whose kernels fault on an H100.
inline constexpr std::int64_t plan_alignment = 16;

/// The plans of one task, whose factors and result are float32. Engines are skipped if they do not give the
/// same bits every time, sum in less than float32, round factors to half precision, or transform them
/// (Winograd, FFT: their error is not that of a sum of products). In fp32, engines that round factors to tf32
/// are skipped too. In bf16 the factors must hold bfloat16 values: tf32 can represent all of them, so its
/// products are exact.
class PlanSearch {
  public:
    PlanSearch(const PlanDevice& device, const ConvolutionTask& task, Precision precision);

    /// Calls take(plan) with one plan of the source after another until it returns true. Returns whether it
    /// did.
    bool visit(PlanSource source, const std::function<bool(ConvolutionPlan&&)>& take);

    /// Counts for everything visited so far.
    PlanTally& tally() { return tally_; }

  private:
    std::optional<ConvolutionPlan> plan_of(Descriptor configuration);

    const PlanDevice& device_;
    Precision precision_;
    Descriptor x_, w_, y_, convolution_, operation_, graph_;
    PlanTally tally_;
};

}  // namespace deepfreq::cuda
