#pragma once

#include <cublasLt.h>
#include <cuda_runtime_api.h>

#include <cstdint>
#include <map>
#include <memory>
#include <tuple>

#include "kernels/params.h"

namespace deepfreq::cuda {

/// Whether a matrix enters the product as it is stored or transposed.
enum class Form { Plain, Transposed };

/// What a product is asked to do; equal tasks use the same algorithm, chosen once.
struct GemmTask {
    Form form_a = Form::Plain, form_b = Form::Plain;
    std::int64_t m = 0, n = 0, k = 0;
    bool add = false;   ///< c += a b instead of c = a b
    bool bias = false;  ///< c = a b + bias, one value a column

    // clang-tidy 14 sees a 0 in what the compiler makes of this.
    auto operator<=>(const GemmTask&) const = default;  // NOLINT(modernize-use-nullptr)
};

/// Matrix products of row-major matrices by cuBLASLt, with a workspace of their own, so that two of them can
/// run side by side on two streams. Always the same algorithm for the same task and alignment: results
/// repeat.
class Gemm {
  public:
    explicit Gemm(Precision precision);
    ~Gemm();
    Gemm(const Gemm&) = delete;
    Gemm& operator=(const Gemm&) = delete;

    /// c[m,n] = (or +=) a b [+ bias[n]], where a is [m,k] and b is [k,n] after their forms.
    void operator()(cudaStream_t stream, const GemmTask& task, const float* a, const float* b, float* c,
                    const float* bias = nullptr);

  private:
    struct Plan;
    const Plan& plan(const GemmTask& task, std::uint32_t alignment, const float* bias);

    Precision precision_;
    cublasLtHandle_t handle_ = nullptr;
    void* workspace_ = nullptr;
    std::map<std::pair<GemmTask, std::uint32_t>, std::unique_ptr<Plan>> plans_;
};

}  // namespace deepfreq::cuda
