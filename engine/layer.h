#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace deepfreq {

/// What a forward pass is for. In training, batch normalisation goes by the statistics of the batch and
/// updates the running ones; in evaluation it goes by those.
enum class Mode { Training, Evaluation };

/// One tensor a layer asks for: a parameter, which begins random by its fans (Initializer), or anything with
/// a fan-in of 0, which begins as `value` everywhere.
struct ParameterSpec {
    Shape shape;
    std::int64_t fan_in = 0;
    std::int64_t fan_out = 0;
    float value = 0.0F;
    /// What tensors share that begin alike under Initializer::alike, given the same shape. 0: the same place
    /// in layers equally far from the output.
    std::uint32_t role = 0;
    std::string name = {};  ///< within its layer: "weight", "bias" …
};

/// The tensors a layer asked for, in its order: views into one of the network's buffers.
using ParameterViews = std::vector<Tensor>;

/// All that a layer works with beside its input and output. It lies where the network planned it.
struct LayerMemory {
    ParameterViews w;        ///< Layer::parameters()
    ParameterViews dw;       ///< gradients by them
    ParameterViews state;    ///< Layer::state()
    ParameterViews kept;     ///< Layer::kept(n)
    ParameterViews scratch;  ///< Layer::scratch(n)
    /// Where training stands, for what is drawn at random; absent in evaluation.
    TensorView<const StepState> step;
};

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

    /// Whether y is x in evaluation: then forward is called in training only.
    virtual bool is_identity_in_evaluation() const { return false; }

    /// Elements of one row of x and of y.
    virtual std::int64_t inputs() const = 0;
    virtual std::int64_t outputs() const = 0;

    /// What is trained.
    virtual std::vector<ParameterSpec> parameters() const { return {}; }
    /// What a forward pass in training changes: running statistics.
    virtual std::vector<ParameterSpec> state() const { return {}; }
    /// For n rows: what forward leaves for backward, besides y.
    virtual std::vector<Shape> kept(std::int64_t /*n*/) const { return {}; }
    /// For n rows: what backward needs for the moment. All layers share this memory.
    virtual std::vector<Shape> scratch(std::int64_t /*n*/) const { return {}; }

    /// Overwrites y[n,outputs] from x[n,inputs], and memory.kept.
    virtual void forward(Kernels& kernels, const LayerMemory& memory, Mode mode, ConstTensor x,
                         Tensor y) const = 0;

    /// From x, y and memory.kept of the last forward in training and dy[n,outputs], which may be used as
    /// workspace and is lost: overwrites dx[n,inputs] (may be absent), writes memory.dw as `grad` says.
    virtual void backward(Kernels& kernels, const LayerMemory& memory, ConstTensor x, ConstTensor y,
                          Tensor dy, Tensor dx, GradMode grad) const = 0;
};

}  // namespace deepfreq
