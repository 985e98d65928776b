#pragma once

#include <cstdint>
#include <string>

#include "engine/memory_plan.h"

namespace deepfreq {

/// The purpose of a forward pass. In training, batch normalisation uses the statistics of the batch and
/// updates the running statistics; in evaluation it uses the running statistics.
enum class Mode { Training, Evaluation };

/// A differentiable map from the rows of x to the rows of y, with an explicit backward pass. It owns no
/// memory: the network plans all of it and passes views. A layer belongs to one network.
class Layer {
  public:
    Layer() = default;
    Layer(const Layer&) = delete;
    Layer& operator=(const Layer&) = delete;
    virtual ~Layer() = default;

    /// A description that tells networks apart: "dense 784-500 tanh".
    virtual std::string description() const = 0;

    /// Whether y = x in evaluation; forward is then called in training only.
    virtual bool is_identity_in_evaluation() const { return false; }

    /// Elements of one row of x and of y.
    virtual std::int64_t inputs() const = 0;
    virtual std::int64_t outputs() const = 0;

    /// Requests memory: trained parameters, running statistics, what forward saves for backward, scratch. The
    /// layer keeps the handles.
    virtual void plan(MemoryPlan& /*plan*/) {}

    /// Computes y[n,outputs] from x[n,inputs]. Overwrites y and what is saved.
    virtual void forward(Backend& backend, const LayerMemory& memory, Mode mode, ConstTensor x,
                         Tensor y) const = 0;

    /// Computes gradients from x, y, what the last forward in training saved, and dy[n,outputs], which may be
    /// used as workspace and is lost. Overwrites dx[n,inputs] (may be absent); overwrites the gradients with
    /// respect to the layer's parameters or adds to them.
    virtual void backward(Backend& backend, const LayerMemory& memory, ConstTensor x, ConstTensor y,
                          Tensor dy, Tensor dx, GradMode grad) const = 0;
};

}  // namespace deepfreq
