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

/// Convolutions of NHWC images by cuDNN, as PlanSearch (convolution_plans.h) says. In bf16 the factors are
/// rounded to bfloat16 values in copies first; a tensor that does not begin on 16 bytes is copied to where it
/// does, and a result back. Sums and results are float32.
class Convolutions {
  public:
    Convolutions(Precision precision, Workspace& workspace);
    ~Convolutions();
    Convolutions(const Convolutions&) = delete;
    Convolutions& operator=(const Convolutions&) = delete;

    /// Reads two of x, w and y (or the gradients with respect to them) and writes the third, on the
    /// workspace's stream. The first call of a task tries plans until one runs, waits for the device and
    /// takes memory: it must not be captured.
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

/// Bytes of the workspace that a plan of the task takes with aligned tensors: the plan's own, and in bf16
/// those of the rounded factors.
std::size_t workspace_of(const ConvolutionTask& task, std::int64_t plan_bytes, Precision precision);

}  // namespace deepfreq::cuda
