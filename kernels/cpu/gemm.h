#pragma once

#include <dnnl.hpp>
#include <map>

#include "kernels/cpu/workspace.h"
#include "kernels/gemm_task.h"
#include "kernels/types.h"

namespace deepfreq {

/// Matrix products by oneDNN, in float32 or with factors rounded to bfloat16.
class Gemm {
  public:
    explicit Gemm(Precision precision) : precision_(precision) {}

    /// Throws RunError if oneDNN refuses.
    void operator()(const GemmTask& task, const float* a, const float* b, float* c);

  private:
    template <class T>
    void multiply_rounded(const GemmTask& task, const float* a, const float* b, float* c);
    /// The factors have oneDNN's type for this precision.
    void multiply(const GemmTask& task, const void* a, const void* b, float* c);

    Precision precision_;
    std::map<GemmTask, dnnl::matmul> products_;  // created on first use
    Workspace rounded_a_, rounded_b_;
};

}  // namespace deepfreq
