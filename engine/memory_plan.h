#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/backend.h"

namespace deepfreq {

/// One tensor that a layer requests: either a parameter, initialised at random from its fans (Initializer),
/// or, with a fan-in of 0, any tensor that is initialised to `value` everywhere.
struct ParameterSpec {
    Shape shape;
    std::int64_t fan_in = 0;
    std::int64_t fan_out = 0;
    float value = 0.0F;
    /// Tensors of the same role and shape start out equal under Initializer::alike. 0: the role is the place
    /// within the layer and the layer's distance from the output.
    std::uint32_t role = 0;
    std::string name = {};  ///< within its layer: "weight", "bias" …
};

/// A trained tensor of a plan: memory[p] is its value, memory.grad(p) its gradient.
struct Parameter {
    std::size_t index = 0;
};

/// The other kinds of tensor in a plan, by where they are stored.
struct State {
    std::size_t index = 0;
};
struct Saved {
    std::size_t index = 0;
};
struct Scratch {
    std::size_t index = 0;
};

/// The shape of a batch tensor without its first axis, the rows: {h, w, c} stands for [n,h,w,c].
struct PerRow {
    Shape shape;
};

/// What the layers request, one after another, and the network then allocates. A layer keeps its handles:
///     weight_ = plan.parameter({.shape = {out, in}, …, .name = "weight"});
///     z_ = plan.saved(PerRow{{h, w, c}});
/// and accesses the tensors in forward and backward as memory[z_]. A layer made of parts lets each part plan
/// its own.
class MemoryPlan {
  public:
    /// For at most `batch` rows.
    explicit MemoryPlan(std::int64_t batch) : batch_(batch) {}

    /// Subsequent requests belong to the next layer. Scratch memory is shared by all layers.
    void begin_layer();

    /// A trained tensor; it has a gradient.
    Parameter parameter(const ParameterSpec& spec);
    /// A tensor that forward passes in training change and checkpoints hold: running statistics.
    State state(const ParameterSpec& spec);
    /// A tensor that forward saves for backward, besides y.
    Saved saved(const Shape& shape) { return {place(saved_, shape, false)}; }
    Saved saved(const PerRow& rows) { return {place(saved_, of_batch(rows), true)}; }
    /// A tensor that the layer needs only temporarily.
    Scratch scratch(const Shape& shape) { return {place(scratch_, shape, false)}; }
    Scratch scratch(const PerRow& rows) { return {place(scratch_, of_batch(rows), true)}; }

    /// A parameter or a state, and where it is stored.
    struct Lasting {
        ParameterSpec spec;
        int layer;           ///< counted from 1, as in the paper
        std::int64_t first;  ///< index of its first float in the buffer of its kind
    };
    const std::vector<Lasting>& parameters() const { return parameters_.tensors; }
    const std::vector<Lasting>& states() const { return states_.tensors; }

    /// Number of floats in all parameters, and in all states; every tensor is aligned to 64 bytes.
    std::int64_t parameter_count() const { return parameters_.size; }
    std::int64_t state_count() const { return states_.size; }

  private:
    friend class NetworkMemory;
    struct LastingRegion {
        std::vector<Lasting> tensors;
        std::int64_t size = 0;
    };
    struct Slot {
        Shape shape;   ///< for `batch` rows
        bool per_row;  ///< whether its first axis counts rows
        std::int64_t first;
    };
    struct Region {
        std::vector<Slot> slots;
        std::int64_t end = 0, size = 0;
    };

    std::size_t add(LastingRegion& region, const ParameterSpec& spec) const;
    static std::size_t place(Region& region, const Shape& shape, bool per_row);
    Shape of_batch(const PerRow& rows) const;

    std::int64_t batch_;
    int layers_ = 0;
    LastingRegion parameters_, states_;
    Region saved_, scratch_;
};

/// The memory of a plan: parameters, gradients and states are one contiguous buffer each; saved and scratch
/// tensors share an arena.
class NetworkMemory {
  public:
    /// Parameters, gradients and states start at 0. Throws OutOfMemory.
    NetworkMemory(Backend& backend, const MemoryPlan& plan);

    Tensor parameters() const { return parameters_.view<float>({plan_.parameter_count()}); }
    Tensor gradients() const { return gradients_.view<float>({plan_.parameter_count()}); }
    Tensor states() const { return states_.view<float>({plan_.state_count()}); }

    const MemoryPlan& plan() const { return plan_; }
    Tensor operator[](Parameter p) const { return values_[p.index]; }
    Tensor grad(Parameter p) const { return grads_[p.index]; }
    Tensor operator[](State s) const { return state_views_[s.index]; }
    /// For n rows.
    Tensor at(Saved s, std::int64_t n) const { return view(plan_.saved_.slots[s.index], n, 0); }
    Tensor at(Scratch s, std::int64_t n) const {
        return view(plan_.scratch_.slots[s.index], n, plan_.saved_.size);
    }

  private:
    Tensor view(const MemoryPlan::Slot& slot, std::int64_t n, std::int64_t offset) const;

    MemoryPlan plan_;
    Buffer parameters_, gradients_, states_, arena_;
    std::vector<Tensor> values_, grads_, state_views_;
};

/// The memory that a layer works with in one pass, besides its input and output.
struct LayerMemory {
    const NetworkMemory& network;
    std::int64_t rows;
    /// The position of training, for random draws; absent in evaluation.
    TensorView<const StepState> step = {};

    Tensor operator[](Parameter p) const { return network[p]; }
    Tensor grad(Parameter p) const { return network.grad(p); }
    Tensor operator[](State s) const { return network[s]; }
    Tensor operator[](Saved s) const { return network.at(s, rows); }
    Tensor operator[](Scratch s) const { return network.at(s, rows); }
};

}  // namespace deepfreq
