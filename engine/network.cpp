#include "engine/network.h"

#include <algorithm>

#include "common/error.h"

namespace deepfreq {
namespace {

// Random sequences for roles of tensors, distinct from those numbered by tensor. Tensors without a role are
// identified by the layer's distance from the output and their place within the layer.
constexpr std::uint32_t role_streams = 1U << 30U, by_distance = 1U << 8U, by_place = 1U << 16U;

std::string name_of(const MemoryPlan::Lasting& tensor) {
    return fmt::format("layers.{}.{}", tensor.layer, tensor.spec.name);
}

void check_layers(const std::vector<std::unique_ptr<Layer>>& layers, std::int64_t batch) {
    if (layers.empty() || batch < 1)
        throw InputError("a network has {} layers and batch {}, expected at least 1 each", layers.size(),
                         batch);
    for (std::size_t l = 1; l < layers.size(); ++l)
        if (layers[l]->inputs() != layers[l - 1]->outputs())
            throw InputError("layer {} ({}) follows layer {} ({}), expected as many inputs as outputs", l + 1,
                             layers[l]->description(), l, layers[l - 1]->description());
}

}  // namespace

Network::Network(Backend& backend, std::vector<std::unique_ptr<Layer>> layers, std::int64_t batch)
    : backend_(backend), layers_(std::move(layers)), batch_(batch), memory_(backend, plan()) {}

MemoryPlan Network::plan() {
    check_layers(layers_, batch_);
    MemoryPlan plan(batch_);
    std::int64_t widest = 0;
    for (const auto& layer : layers_) {
        plan.begin_layer();
        activations_.push_back(plan.saved(PerRow{{layer->outputs()}}));
        layer->plan(plan);
        widest = std::max(widest, layer->outputs());
    }
    for (Saved& delta : deltas_) delta = plan.saved(PerRow{{widest}});
    return plan;
}

std::vector<std::int64_t> Network::layer_bounds() const {
    const auto& parameters = memory_.plan().parameters();
    std::vector<std::int64_t> bounds;
    for (int l = 1; l <= depth(); ++l) {
        const auto first = std::ranges::find_if(parameters, [&](const auto& p) { return p.layer >= l; });
        bounds.push_back(first == parameters.end() ? memory_.plan().parameter_count() : first->first);
    }
    bounds.push_back(memory_.plan().parameter_count());
    return bounds;
}

std::vector<NamedTensor> Network::named_parameters() const {
    std::vector<NamedTensor> all;
    const auto& parameters = memory_.plan().parameters();
    for (std::size_t p = 0; p < parameters.size(); ++p)
        all.push_back({name_of(parameters[p]), memory_[Parameter{p}]});
    return all;
}

std::vector<NamedTensor> Network::named_state() const {
    std::vector<NamedTensor> all;
    const auto& states = memory_.plan().states();
    for (std::size_t s = 0; s < states.size(); ++s) all.push_back({name_of(states[s]), memory_[State{s}]});
    return all;
}

std::string describe(const std::vector<std::unique_ptr<Layer>>& layers) {
    std::string text;
    for (const auto& layer : layers) text += (text.empty() ? "" : " | ") + layer->description();
    return text;
}

int Network::layer_index(int l) const {
    if (l < -depth() || l > depth())
        throw InputError("layer {} asked for, expected one of -{} to {}", l, depth(), depth());
    return l < 0 ? depth() + l + 1 : l;
}

std::int64_t Network::width(int l) const {
    const int index = layer_index(l);
    return index == 0 ? layers_.front()->inputs() : layers_[static_cast<std::size_t>(index - 1)]->outputs();
}

Tensor Network::activation(int l, std::int64_t n) const {
    return memory_.at(activations_[static_cast<std::size_t>(l - 1)], n);
}

Tensor Network::delta(int l, std::int64_t n) const {
    return {memory_.at(deltas_[l % 2], n).data, {n, width(l)}};
}

// One random sequence per tensor, so that widening one layer does not change the others'
// weights; or one per role.
void Network::initialize(const Initializer& initializer, std::uint64_t seed) {
    backend_.zero(parameters());
    std::vector<float> host;
    const auto fill = [&](const ParameterSpec& spec, Tensor view, std::uint32_t stream) {
        host.assign(static_cast<std::size_t>(spec.shape.elements()), spec.value);
        if (spec.fan_in > 0) initializer.fill(host, spec.fan_in, spec.fan_out, seed, stream);
        backend_.upload(std::span<const float>(host), view);
    };
    int layer = 0;
    std::uint32_t place = 0;  // of the tensor within its layer
    const auto& parameters = memory_.plan().parameters();
    for (std::size_t p = 0; p < parameters.size(); ++p, ++place) {
        const ParameterSpec& spec = parameters[p].spec;
        if (parameters[p].layer != layer) place = 0;
        layer = parameters[p].layer;
        const auto above = static_cast<std::uint32_t>(depth() + 1 - layer);
        const std::uint32_t role = spec.role > 0 ? spec.role : by_distance + above + place * by_place;
        fill(spec, memory_[Parameter{p}],
             initializer.alike ? role_streams + role : static_cast<std::uint32_t>(p));
    }
    const auto& states = memory_.plan().states();
    for (std::size_t s = 0; s < states.size(); ++s) fill(states[s].spec, memory_[State{s}], 0);
}

ConstTensor Network::run(ConstTensor x, Mode mode, int first, int last, Tensor into) {
    const int begin = layer_index(first), end = layer_index(last);
    if (begin > end) throw InputError("forward from layer {} to layer {}, expected a later one", begin, end);
    const std::int64_t n = x.rows();
    if (n > batch_) throw InputError("forward of {} rows, expected at most the batch of {}", n, batch_);
    for (int l = begin + 1; l <= end; ++l) {
        const Layer& layer = *layers_[static_cast<std::size_t>(l - 1)];
        if (mode == Mode::Evaluation && layer.is_identity_in_evaluation()) continue;
        const Tensor y = l == end && into ? into : activation(l, n);
        layer.forward(backend_, memory(n), mode, x, y);
        x = y;
    }
    if (into && x.data != into.data) {
        backend_.copy(x, into);
        x = into;
    }
    return x;
}

ConstTensor Network::forward(ConstTensor x, int last, Tensor into, int first) {
    return run(x, Mode::Evaluation, first, last, into);
}

ConstTensor Network::forward_training(ConstTensor x, TensorView<const StepState> step) {
    step_ = step;
    return run(x, Mode::Training, 0, -1, {});
}

Tensor Network::output_gradient(std::int64_t n) const {
    return delta(depth(), n);
}

void Network::backward(ConstTensor x, GradMode grad) {
    const std::int64_t n = x.rows();
    for (int l = depth(); l >= 1; --l) {
        const ConstTensor input = l == 1 ? x : ConstTensor(activation(l - 1, n));
        const Tensor dx = l == 1 ? Tensor{} : delta(l - 1, n);
        layers_[static_cast<std::size_t>(l - 1)]->backward(backend_, memory(n), input, activation(l, n),
                                                           delta(l, n), dx, grad);
    }
}

}  // namespace deepfreq
