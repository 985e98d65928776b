#pragma once

#include <cstdint>
#include <string>

#include "engine/memory_plan.h"

namespace deepfreq {

/// What a forward pass is for. In training, batch normalisation uses the statistics of the batch and
/// updates the running ones; in evaluation it uses those.
enum class Mode { Training, Evaluation };

/// A differentiable map of the rows of x to the rows of y, with its backward pass written out. It holds no
/// memory of its own: the network plans all of it and passes views. A layer belongs to one network.
class Layer {
  public:
    Layer() = default;
    Layer(const Layer&) = delete;
    Layer& operator=(const Layer&) = delete;
    virtual ~Layer() = default;

    /// What it is, in a form that tells networks apart: "dense 784-500 tanh".
    virtual std::string description() const = 0;

    /// Whether y is x in evaluation: then forward is called in training only.
    virtual bool is_identity_in_evaluation() const { return false; }

    /// Elements of one row of x and of y.
    virtual std::int64_t inputs() const = 0;
    virtual std::int64_t outputs() const = 0;

    /// Asks for memory: what is trained, running statistics, what forward leaves for backward, scratch. The
    /// layer keeps the handles.
    virtual void plan(MemoryPlan& /*plan*/) {}

    /// Overwrites y[n,outputs] from x[n,inputs], and what is saved.
    virtual void forward(Backend& backend, const LayerMemory& memory, Mode mode, ConstTensor x,
                         Tensor y) const = 0;

    /// From x, y and what was saved in the last forward in training, and dy[n,outputs], which may be used as
    /// workspace and is lost: overwrites dx[n,inputs] (may be absent), overwrites the gradients of its
    /// parameters or adds to them.
    virtual void backward(Backend& backend, const LayerMemory& memory, ConstTensor x, ConstTensor y,
                          Tensor dy, Tensor dx, GradMode grad) const = 0;
};

}  // namespace deepfreq
