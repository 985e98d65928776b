#pragma once

#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>

#include "kernels/buffer.h"
#include "kernels/params.h"

namespace deepfreq::cuda {

/// Which of a convolution's three tensors is computed from the other two.
enum class ConvolutionKind { Forward, BackwardData, BackwardFilter };

/// What a convolution is asked to do; equal tasks use the same plan, chosen once.
struct ConvolutionTask {
    ConvolutionKind kind = ConvolutionKind::Forward;
    std::array<std::int64_t, 4> x{}, w{}, y{};  ///< [n,h,w,in], [out,kh,kw,in], [n,h',w',out]
    std::int64_t stride = 1, padding = 0;
    bool add = false;            ///< adds to the result instead of overwriting it
    std::int64_t alignment = 0;  ///< bytes on which all three begin; filled in by Convolutions

    // clang-tidy 14 sees a 0 in what the compiler makes of this.
    auto operator<=>(const ConvolutionTask&) const = default;  // NOLINT(modernize-use-nullptr)
};

/// Convolutions of NHWC images by cuDNN's graph interface. Engines that do not give the same bits every time
/// are passed over, and in fp32 those that round their factors. In bf16 the factors are rounded into copies
/// first; sums and results are float32.
class Convolutions {
  public:
    explicit Convolutions(Precision precision);
    ~Convolutions();
    Convolutions(const Convolutions&) = delete;
    Convolutions& operator=(const Convolutions&) = delete;

    /// Reads two of x, w and y (or the gradients by them) and writes the third. The first call of a task
    /// chooses its plan and takes memory: it must not be recorded.
    void operator()(cudaStream_t stream, ConvolutionTask task, const float* x, const float* w,
                    const float* y);

  private:
    struct Plan;
    const Plan& plan(const ConvolutionTask& task);

    Precision precision_;
    cudnnHandle_t handle_ = nullptr;
    std::map<ConvolutionTask, std::unique_ptr<Plan>> plans_;
};

}  // namespace deepfreq::cuda
