#pragma once

#include <cublasLt.h>

#include <cstdint>
#include <map>
#include <memory>
#include <tuple>

#include "kernels/cuda/workspace.h"
#include "kernels/gemm_task.h"
#include "kernels/types.h"

namespace deepfreq::cuda {

/// Matrix products of row-major matrices by cuBLASLt on a workspace's stream. The same task and alignment
/// always use the same algorithm, so results repeat. The first call for a task tries algorithms until one
/// runs, waits for the device and allocates memory, so it must not be captured.
class Gemm {
  public:
    Gemm(Precision precision, Workspace& workspace);
    ~Gemm();
    Gemm(const Gemm&) = delete;
    Gemm& operator=(const Gemm&) = delete;

    /// Throws RunError when cuBLASLt has no way to do the task.
    void operator()(const GemmTask& task, const float* a, const float* b, float* c);

    /// c[m,n] = a b + bias[n], in one pass over c. Returns false if cuBLASLt cannot; c is then garbage.
    bool with_bias(const GemmTask& task, const float* a, const float* b, float* c, const float* bias);

  private:
    /// The matrices of a call; the bias may be null.
    struct Operands {
        const float *a, *b;
        float* c;
        const float* bias;
    };
    struct Plan;
    struct Tally;
    const Plan& plan(const GemmTask& task, const Operands& operands, Tally& tally);
    bool runs(const Plan& plan, const GemmTask& task, Operands operands, Tally& tally);
    cublasStatus_t run(const Plan& plan, const GemmTask& task, const Operands& operands);

    Precision precision_;
    Workspace& workspace_;
    cublasLtHandle_t handle_ = nullptr;
    using Key = std::tuple<GemmTask, bool, std::uint32_t>;  // whether with a bias; alignment of the operands
    std::map<Key, std::unique_ptr<Plan>> plans_;
};

}  // namespace deepfreq::cuda
