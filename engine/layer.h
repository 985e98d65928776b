#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace deepfreq {

/// One parameter tensor a layer asks for. A fan-in of 0 marks one that begins at zero (a bias).
struct ParameterSpec {
    Shape shape;
    std::int64_t fan_in = 0;
    std::int64_t fan_out = 0;
};

/// The tensors a layer asked for, in its order: views into the network's one parameter (or gradient) buffer.
using ParameterViews = std::vector<Tensor>;

/// A differentiable map of the rows of x to the rows of y, with its way back written out. It holds no memory
/// of its own: the network plans all of it and passes views.
class Layer {
  public:
    Layer() = default;
    Layer(const Layer&) = delete;
    Layer& operator=(const Layer&) = delete;
    virtual ~Layer() = default;

    /// What it is, in a form that tells networks apart: "dense 784-500 tanh".
    virtual std::string description() const = 0;

    /// Elements of one row of x and of y.
    virtual std::int64_t inputs() const = 0;
    virtual std::int64_t outputs() const = 0;

    virtual std::vector<ParameterSpec> parameters() const = 0;

    /// Overwrites y[n,outputs] from x[n,inputs].
    virtual void forward(Kernels& kernels, const ParameterViews& w, ConstTensor x, Tensor y) const = 0;

    /// From x, y of the last forward and dy[n,outputs], which may be used as workspace and is lost:
    /// overwrites dx[n,inputs] (may be absent), writes the parameters' gradients dw as `mode` says.
    virtual void backward(Kernels& kernels, const ParameterViews& w, const ParameterViews& dw, ConstTensor x,
                          ConstTensor y, Tensor dy, Tensor dx, GradMode mode) const = 0;
};

}  // namespace deepfreq
