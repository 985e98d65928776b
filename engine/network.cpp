#include "engine/network.h"

#include <algorithm>

#include "common/error.h"

namespace deepfreq {
namespace {

// Tensors begin on 64 bytes: a cache line, a vector register, and what cuDNN and cuBLAS like best.
constexpr std::int64_t aligned_floats = 16;

// Random sequences of the roles of tensors, apart from those counted through; of tensors without a role, by
// the layer's distance from the output and their place in it.
constexpr std::uint32_t role_streams = 1U << 30U, by_distance = 1U << 8U, by_place = 1U << 16U;

std::int64_t padded(std::int64_t elements) {
    return (elements + aligned_floats - 1) / aligned_floats * aligned_floats;
}

std::int64_t elements(const std::vector<ParameterSpec>& specs) {
    std::int64_t sum = 0;
    for (const ParameterSpec& spec : specs) sum += padded(spec.shape.elements());
    return sum;
}

std::size_t bytes(const Shape& shape) {
    return static_cast<std::size_t>(padded(shape.elements())) * sizeof(float);
}

std::size_t bytes(const std::vector<Shape>& shapes) {
    std::size_t sum = 0;
    for (const Shape& shape : shapes) sum += bytes(shape);
    return sum;
}

void add_named(int layer, const std::vector<ParameterSpec>& specs, const ParameterViews& views,
               std::vector<NamedTensor>& to) {
    for (std::size_t i = 0; i < specs.size(); ++i)
        to.push_back({fmt::format("layers.{}.{}", layer, specs[i].name), views[i]});
}

}  // namespace

Network::Network(Kernels& kernels, std::vector<std::unique_ptr<Layer>> layers, std::int64_t batch)
    : kernels_(kernels), layers_(std::move(layers)), batch_(batch) {
    if (layers_.empty() || batch < 1)
        throw InputError("a network has {} layers and batch {}, expected at least 1 each", layers_.size(),
                         batch);
    for (std::size_t l = 1; l < layers_.size(); ++l)
        if (layers_[l]->inputs() != layers_[l - 1]->outputs())
            throw InputError("layer {} ({}) follows layer {} ({}), expected as many inputs as outputs", l + 1,
                             layers_[l]->description(), l, layers_[l - 1]->description());
    plan_parameters();
    plan_state();
    plan_activations();
}

void Network::plan_parameters() {
    for (const auto& layer : layers_) parameter_count_ += elements(layer->parameters());
    parameters_ = kernels_.allocate_zeros({parameter_count_});
    gradients_ = kernels_.allocate_zeros({parameter_count_});
    std::size_t offset = 0;
    for (const auto& layer : layers_) {
        Place place;
        for (const ParameterSpec& spec : layer->parameters()) {
            place.fixed.w.push_back(parameters_.view<float>(spec.shape, offset));
            place.fixed.dw.push_back(gradients_.view<float>(spec.shape, offset));
            offset += bytes(spec.shape);
        }
        places_.push_back(std::move(place));
    }
}

void Network::plan_state() {
    for (const auto& layer : layers_) state_count_ += elements(layer->state());
    state_ = kernels_.allocate_zeros({state_count_});
    std::size_t offset = 0;
    for (std::size_t l = 0; l < layers_.size(); ++l)
        for (const ParameterSpec& spec : layers_[l]->state()) {
            places_[l].fixed.state.push_back(state_.view<float>(spec.shape, offset));
            offset += bytes(spec.shape);
        }
}

void Network::plan_activations() {
    std::size_t end = 0;
    std::size_t scratch_bytes = 0;
    std::int64_t widest = 0;
    const auto place = [&](std::size_t size) {
        end += size;
        return end - size;
    };
    for (std::size_t l = 0; l < layers_.size(); ++l) {
        const Layer& layer = *layers_[l];
        places_[l].activation = place(bytes({batch_, layer.outputs()}));
        places_[l].kept = place(bytes(layer.kept(batch_)));
        scratch_bytes = std::max(scratch_bytes, bytes(layer.scratch(batch_)));
        widest = std::max(widest, layer.outputs());
    }
    for (std::size_t& delta : deltas_) delta = place(bytes({batch_, widest}));
    scratch_ = place(scratch_bytes);
    arena_ = kernels_.allocate(end);
}

std::vector<std::int64_t> Network::layer_bounds() const {
    std::vector<std::int64_t> bounds = {0};
    for (const auto& layer : layers_) bounds.push_back(bounds.back() + elements(layer->parameters()));
    return bounds;
}

std::vector<NamedTensor> Network::named_parameters() const {
    std::vector<NamedTensor> all;
    for (int l = 0; l < depth(); ++l) add_named(l + 1, layers_[l]->parameters(), places_[l].fixed.w, all);
    return all;
}

std::vector<NamedTensor> Network::named_state() const {
    std::vector<NamedTensor> all;
    for (int l = 0; l < depth(); ++l) add_named(l + 1, layers_[l]->state(), places_[l].fixed.state, all);
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
    return arena_.view<float>({n, width(l)}, places_[static_cast<std::size_t>(l - 1)].activation);
}

Tensor Network::delta(int l, std::int64_t n) const {
    return arena_.view<float>({n, width(l)}, deltas_[l % 2]);
}

LayerMemory Network::memory(int l, std::int64_t n) const {
    const auto index = static_cast<std::size_t>(l - 1);
    LayerMemory memory = places_[index].fixed;
    memory.step = step_;
    const auto views = [this](const std::vector<Shape>& shapes, std::size_t offset) {
        ParameterViews out;
        out.reserve(shapes.size());
        for (const Shape& shape : shapes) {
            out.push_back(arena_.view<float>(shape, offset));
            offset += bytes(shape);
        }
        return out;
    };
    memory.kept = views(layers_[index]->kept(n), places_[index].kept);
    memory.scratch = views(layers_[index]->scratch(n), scratch_);
    return memory;
}

// One random sequence a tensor, so that widening one layer leaves the others' weights; or one a role.
void Network::initialize(const Initializer& how, std::uint64_t seed) {
    kernels_.zero(parameters());
    std::vector<float> host;
    const auto fill = [&](const ParameterSpec& spec, Tensor view, std::uint32_t stream) {
        host.assign(static_cast<std::size_t>(spec.shape.elements()), spec.value);
        if (spec.fan_in > 0) how.fill(host, spec.fan_in, spec.fan_out, seed, stream);
        kernels_.upload(std::span<const float>(host), view);
    };
    std::uint32_t next = 0;
    for (std::size_t l = 0; l < layers_.size(); ++l) {
        const std::vector<ParameterSpec> specs = layers_[l]->parameters();
        const auto above = static_cast<std::uint32_t>(layers_.size() - l);
        for (std::size_t p = 0; p < specs.size(); ++p, ++next) {
            const std::uint32_t place = by_distance + above + static_cast<std::uint32_t>(p) * by_place;
            const std::uint32_t role = specs[p].role > 0 ? specs[p].role : place;
            fill(specs[p], places_[l].fixed.w[p], how.alike ? role_streams + role : next);
        }
    }
    for (std::size_t l = 0; l < layers_.size(); ++l) {
        const std::vector<ParameterSpec> specs = layers_[l]->state();
        for (std::size_t p = 0; p < specs.size(); ++p) fill(specs[p], places_[l].fixed.state[p], 0);
    }
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
        layer.forward(kernels_, memory(l, n), mode, x, y);
        x = y;
    }
    if (into && x.data != into.data) {
        kernels_.copy(x, into);
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
        layers_[static_cast<std::size_t>(l - 1)]->backward(kernels_, memory(l, n), input, activation(l, n),
                                                           delta(l, n), dx, grad);
    }
}

}  // namespace deepfreq
