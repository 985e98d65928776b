#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "kernels/ops/adam.h"
#include "kernels/ops/batchnorm.h"
#include "kernels/ops/conv2d.h"
#include "kernels/ops/dense.h"
#include "kernels/ops/elementwise.h"
#include "kernels/ops/gather.h"
#include "kernels/ops/gradient_norms.h"
#include "kernels/ops/losses.h"
#include "kernels/ops/pool.h"
#include "kernels/spectrum_backend.h"

namespace deepfreq {

/// A fixed sequence of operations, made by Backend::capture. Must not outlive the backend.
class Graph {
  public:
    Graph() = default;
    Graph(const Graph&) = delete;
    Graph& operator=(const Graph&) = delete;
    virtual ~Graph() = default;

    /// Queues all operations once more, on the memory they were captured with.
    virtual void replay() = 0;
};

/// All operations needed to train a network.
using NetworkOperations =
    ExecutesAll<DenseForward, DenseBackward, Conv2dForward, Conv2dBackward, BatchNormForwardTraining,
                BatchNormForwardInference, BatchNormBackward, AveragePoolForward, AveragePoolBackward,
                MaxPoolForward, MaxPoolBackward, Add, ApplyDropout, MeanSquaredError, SoftmaxCrossEntropy,
                Softmax, CountCorrect, Adam, GatherRows, GatherAugmentedImages, RandomPermutation, Advance,
                AddSquaredNorms>;

/// What a device can do: memory, network operations and spectrum operations. It knows nothing of layers.
///
///   backend(DenseForward{.x = x, .w = w, .b = b, .activation = Activation::Tanh, .y = y});
///
/// checks the operation (ops/ says what each computes, overwrites and throws) and queues it.
/// Names: x, y inputs and outputs; dx, dy, dw, db gradients of the loss with respect to them.
class Backend : public virtual SpectrumBackend, public NetworkOperations {
  public:
    using NetworkOperations::operator();
    using SpectrumOperations::operator();

    /// The precision of matrix products and convolutions.
    virtual Precision precision() const { return Precision::Float32; }

    /// Captures the operations that `work` queues, without running them; on a GPU, as one graph that costs a
    /// single launch. Every call of `work` must queue the same operations on the same memory. They must have
    /// run once before (libraries load code and allocate memory on first use), and may neither allocate nor
    /// wait for the device.
    std::unique_ptr<Graph> capture(std::function<void()> work);

  private:
    virtual std::unique_ptr<Graph> capture_work(std::function<void()> work) = 0;
};

/// A device by name: "cpu", "cuda", "cuda:N", or "auto" (the GPU if there is one, else the CPU).
struct OpenedBackend {
    std::unique_ptr<Backend> backend;
    std::string reason;  ///< one line: what was chosen and why
};

/// Throws InputError, with the remedy, when the name is none of these, or when the device is not available or
/// does not support the precision.
OpenedBackend open_backend(std::string_view device, Precision precision = Precision::Float32);

/// "fp32", "tf32", "bf16" or "auto", and back. Throws InputError for anything else.
Precision parse_precision(std::string_view name);
std::string_view precision_name(Precision precision);

}  // namespace deepfreq
