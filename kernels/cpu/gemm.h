#pragma once

#include <map>

#include "kernels/cpu/onednn.h"
#include "kernels/cpu/workspace.h"
#include "kernels/gemm_task.h"
#include "kernels/params.h"

namespace deepfreq {

/// Matrix products by oneDNN, in float32 or of factors rounded to bfloat16.
class Gemm {
  public:
    explicit Gemm(Precision precision) : precision_(precision) {}

    /// Throws RunError when oneDNN refuses.
    void operator()(const GemmTask& task, const float* a, const float* b, float* c);

  private:
    const onednn::Pass& rounding(const GemmTask& task);

    Precision precision_;
    std::map<GemmTask, onednn::Pass> passes_;  // for bfloat16: made when first asked for
    Workspace workspace_;
};

}  // namespace deepfreq
