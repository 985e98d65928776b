#pragma once

#include <cublasLt.h>

#include <cstdint>
#include <map>
#include <memory>
#include <utility>

#include "kernels/cuda/workspace.h"
#include "kernels/params.h"

namespace deepfreq::cuda {

/// Whether a matrix enters the product as it is stored or transposed.
enum class Form { Plain, Transposed };

/// What a product is asked to do; equal tasks use the same algorithm, chosen once.
struct GemmTask {
    Form form_a = Form::Plain, form_b = Form::Plain;
    std::int64_t m = 0, n = 0, k = 0;
    bool add = false;   ///< c += a b instead of c = a b
    bool bias = false;  ///< filled in by Gemm

    // clang-tidy 14 sees a 0 in what the compiler makes of this.
    auto operator<=>(const GemmTask&) const = default;  // NOLINT(modernize-use-nullptr)
};

/// Matrix products of row-major matrices by cuBLASLt on a workspace's stream. Always the same algorithm for
/// the same task and alignment: results repeat. The first call of a task tries algorithms until one runs,
/// waits for the device and takes memory: it must not be recorded.
class Gemm {
  public:
    Gemm(Precision precision, Workspace& workspace);
    ~Gemm();
    Gemm(const Gemm&) = delete;
    Gemm& operator=(const Gemm&) = delete;

    /// c[m,n] = (or +=) a b, where a is [m,k] and b is [k,n] after their forms.
    void operator()(const GemmTask& task, const float* a, const float* b, float* c);

    /// c[m,n] = a b + bias[n], in one pass over c. False where cuBLASLt cannot: c then holds nothing of use.
    bool with_bias(GemmTask task, const float* a, const float* b, float* c, const float* bias);

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
    std::map<std::pair<GemmTask, std::uint32_t>, std::unique_ptr<Plan>> plans_;
};

}  // namespace deepfreq::cuda
