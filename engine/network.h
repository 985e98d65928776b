#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/initializer.h"
#include "engine/layer.h"

namespace deepfreq {

/// All layers in one line; two networks of one description can exchange parameters.
std::string describe(const std::vector<std::unique_ptr<Layer>>& layers);

/// A tensor of a network by the paper's index of its layer, which counts from 1: "layers.1.weight".
struct NamedTensor {
    std::string name;
    Tensor view;
};

/// A chain of layers f[1] … f[L] over one batch of at most `batch` rows, with all of its memory planned once:
/// parameters, gradients and running statistics are each one contiguous buffer; activations, the gradients
/// with respect to them and what layers save for themselves share one arena.
class Network {
  public:
    /// Throws InputError when neighbouring layers do not fit, RunError when memory is short.
    Network(Backend& backend, std::vector<std::unique_ptr<Layer>> layers, std::int64_t batch);

    std::string description() const { return describe(layers_); }

    int depth() const { return static_cast<int>(layers_.size()); }
    std::int64_t batch() const { return batch_; }

    /// The paper's layer index in [-L, L] as one in [0, L]: f[-1] is the output, f[-2] the last hidden layer
    /// (eq. 10). Throws InputError outside.
    int layer_index(int l) const;

    /// Elements of one row of f[l].
    std::int64_t width(int l) const;

    /// Parameters begin anew: weights as `initializer` says, biases at 0, running statistics as the layers
    /// say.
    void initialize(const Initializer& initializer, std::uint64_t seed);

    Tensor parameters() const { return memory_.parameters(); }
    Tensor gradients() const { return memory_.gradients(); }
    /// Running statistics of all layers; absent when they have none.
    Tensor state() const { return memory_.plan().state_count() > 0 ? memory_.states() : Tensor{}; }

    /// The same, tensor by tensor.
    std::vector<NamedTensor> named_parameters() const;
    std::vector<NamedTensor> named_state() const;

    /// Runs x[n,d] with n <= batch up to f[last] (default: the output) in evaluation mode and returns that.
    /// With `into` [n,width] given, f[last] is written there instead of the arena. x is f[first], default the
    /// input.
    ConstTensor forward(ConstTensor x, int last = -1, Tensor into = {}, int first = 0);

    /// Runs x[n,d] with n <= batch to the output in training mode; backward() may follow. What layers draw at
    /// random, they draw by `step`, which must stay as it is until then; without such layers it may be
    /// absent.
    ConstTensor forward_training(ConstTensor x, TensorView<const StepState> step = {});

    /// Where the parameters of each layer begin in parameters() and gradients(), and where the last ones end:
    /// L + 1 numbers.
    std::vector<std::int64_t> layer_bounds() const;

    /// Where the gradient with respect to the output is to be put before backward(): [n, outputs].
    Tensor output_gradient(std::int64_t n) const;

    /// After forward_training(x) and with output_gradient set: writes all gradients as `grad` says.
    void backward(ConstTensor x, GradMode grad = GradMode::Overwrite);

  private:
    MemoryPlan plan();
    ConstTensor run(ConstTensor x, Mode mode, int first, int last, Tensor into);
    LayerMemory memory(std::int64_t n) const { return {memory_, n, step_}; }
    Tensor activation(int l, std::int64_t n) const;
    Tensor delta(int l, std::int64_t n) const;

    Backend& backend_;
    std::vector<std::unique_ptr<Layer>> layers_;
    std::int64_t batch_;
    std::vector<Saved> activations_;  // f[1] … f[L]
    Saved deltas_[2];                 // gradients with respect to f[l] alternate between two places
    NetworkMemory memory_;
    TensorView<const StepState> step_;  // of the last forward_training
};

}  // namespace deepfreq
