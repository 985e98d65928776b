#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/initializer.h"
#include "engine/layer.h"

namespace deepfreq {

/// A chain of layers f[1] … f[L] over one batch of at most `batch` rows, with all of its memory planned once:
/// parameters and gradients are each one contiguous buffer, activations and the gradients by them one arena.
class Network {
  public:
    /// Throws InputError when neighbouring layers do not fit, RunError when memory is short.
    Network(Kernels& kernels, std::vector<std::unique_ptr<Layer>> layers, std::int64_t batch);

    /// All layers in one line; two networks of one description can exchange parameters.
    std::string description() const;

    int depth() const { return static_cast<int>(layers_.size()); }
    std::int64_t batch() const { return batch_; }

    /// The paper's layer index in [-L, L] as one in [0, L]: f[-1] is the output, f[-2] the last hidden layer
    /// (eq. 10). Throws InputError outside.
    int layer_index(int l) const;

    /// Elements of one row of f[l].
    std::int64_t width(int l) const;

    /// Parameters begin anew: weights as `how` says, biases at 0.
    void initialize(const Initializer& how, std::uint64_t seed);

    Tensor parameters() const { return parameters_.view<float>({parameter_count_}); }
    Tensor gradients() const { return gradients_.view<float>({parameter_count_}); }

    /// Runs x[n,d] with n <= batch up to f[last] (default: the output) and returns that. With `into`
    /// [n,width] given, f[last] is written there instead of the arena; backward() then must not follow.
    ConstTensor forward(ConstTensor x, int last = -1, Tensor into = {});

    /// Where the gradient by the output is to be put before backward(): [n, outputs].
    Tensor output_gradient(std::int64_t n) const;

    /// After forward(x) to the output and with output_gradient set: writes all gradients as `mode` says.
    void backward(ConstTensor x, GradMode mode = GradMode::Overwrite);

  private:
    void plan_parameters();
    void plan_activations();
    Tensor activation(int l, std::int64_t n) const;
    Tensor delta(int l, std::int64_t n) const;

    Kernels& kernels_;
    std::vector<std::unique_ptr<Layer>> layers_;
    std::int64_t batch_;
    std::int64_t parameter_count_ = 0;
    Buffer parameters_, gradients_, arena_;
    std::vector<ParameterViews> w_, dw_;           // of each layer
    std::vector<std::size_t> activation_offsets_;  // of f[1] … f[L], in the arena
    std::size_t delta_offsets_[2] = {0, 0};        // gradients by f[l] alternate between two places
};

}  // namespace deepfreq
