#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/initializer.h"
#include "engine/layer.h"

namespace deepfreq {

/// All layers in one line; two networks with the same description can exchange parameters.
std::string describe(const std::vector<std::unique_ptr<Layer>>& layers);

/// A tensor of a network, named by the paper's layer index, which counts from 1: "layers.1.weight".
struct NamedTensor {
    std::string name;
    Tensor view;
};

/// A chain of layers f[1] … f[L] for batches of at most `batch` rows, with all memory planned once:
/// parameters, gradients and running statistics are one contiguous buffer each; activations, the gradients
/// with respect to them and what layers save for themselves share one arena.
class Network {
  public:
    /// Throws InputError if neighbouring layers do not fit together, RunError if memory is short.
    Network(Backend& backend, std::vector<std::unique_ptr<Layer>> layers, std::int64_t batch);

    std::string description() const { return describe(layers_); }

    int depth() const { return static_cast<int>(layers_.size()); }
    std::int64_t batch() const { return batch_; }

    /// Maps the paper's layer index in [-L, L] to [0, L]: f[-1] is the output, f[-2] the last hidden layer
    /// (eq. 10). Throws InputError if out of range.
    int layer_index(int l) const;

    /// Elements of one row of f[l].
    std::int64_t width(int l) const;

    /// Reinitialises everything: weights with `initializer`, biases to 0, running statistics to the values
    /// that the layers specify.
    void initialize(const Initializer& initializer, std::uint64_t seed);

    Tensor parameters() const { return memory_.parameters(); }
    Tensor gradients() const { return memory_.gradients(); }
    /// Running statistics of all layers; absent if they have none.
    Tensor state() const { return memory_.plan().state_count() > 0 ? memory_.states() : Tensor{}; }

    /// The same, tensor by tensor.
    std::vector<NamedTensor> named_parameters() const;
    std::vector<NamedTensor> named_state() const;

    /// Runs x[n,d] with n <= batch up to f[last] (default: the output) in evaluation mode and returns that.
    /// If `into` [n,width] is given, f[last] is written there instead of the arena. x is f[first] (default:
    /// the input).
    ConstTensor forward(ConstTensor x, int last = -1, Tensor into = {}, int first = 0);

    /// Runs x[n,d] with n <= batch to the output in training mode; backward() may follow. Layers draw random
    /// numbers according to `step`, which must not change until backward() is done; without such layers it
    /// may be absent.
    ConstTensor forward_training(ConstTensor x, TensorView<const StepState> step = {});

    /// L + 1 offsets into parameters() and gradients(): where the parameters of each layer begin, and where
    /// the last layer's end.
    std::vector<std::int64_t> layer_bounds() const;

    /// Where to put the gradient with respect to the output before backward(): [n, outputs].
    Tensor output_gradient(std::int64_t n) const;

    /// Call after forward_training(x), with output_gradient set. Overwrites or adds to all gradients, as
    /// `grad` says.
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
