#pragma once

#include <cudnn.h>

#include <array>
#include <cstddef>
#include <map>
#include <memory>

#include "kernels/cuda/convolution_task.h"
#include "kernels/cuda/workspace.h"
#include "kernels/types.h"

namespace deepfreq::cuda {

struct ConvolutionPlan;

/// Convolutions of NHWC images by cuDNN, with plans found by PlanSearch (convolution_plans.h). In bf16 the
/// factors are first copied, rounded to bfloat16 values. A tensor that is not aligned to 16 bytes is copied
/// to memory that is, and a result is copied back. Sums and results are float32.
class Convolutions {
  public:
    Convolutions(Precision precision, Workspace& workspace);
    ~Convolutions();
    Convolutions(const Convolutions&) = delete;
    Convolutions& operator=(const Convolutions&) = delete;

    /// Reads two of x, w and y (or the gradients with respect to them) and writes the third, on the
    /// workspace's stream. The first call for a task tries plans until one runs, waits for the device and
    /// allocates memory, so it must not be captured.
    void operator()(const ConvolutionTask& task, const float* x, const float* w, const float* y);

  private:
    using Tensors = std::array<const float*, 3>;
    std::unique_ptr<ConvolutionPlan> choose(const ConvolutionTask& task, const Tensors& data);
    bool runs(const ConvolutionPlan& plan, const ConvolutionTask& task, const Tensors& data);
    cudnnStatus_t run(const ConvolutionPlan& plan, const ConvolutionTask& task, const Tensors& data);
    cudnnStatus_t execute(const ConvolutionPlan& plan, const Tensors& data, void* workspace);

    Precision precision_;
    Workspace& workspace_;
    cudnnHandle_t handle_ = nullptr;
    std::map<ConvolutionTask, std::unique_ptr<ConvolutionPlan>> plans_;
};

/// Bytes of workspace that a plan for the task needs with aligned tensors: the plan's own and, in bf16, those
/// of the rounded factors.
std::size_t workspace_of(const ConvolutionTask& task, std::int64_t plan_bytes, Precision precision);

}  // namespace deepfreq::cuda
