#include "engine/network.h"

#include <algorithm>

#include "common/error.h"

namespace deepfreq {
namespace {

// Tensors begin on 64 bytes: a cache line, a vector register, and what cuDNN and cuBLAS like best.
constexpr std::int64_t aligned_floats = 16;

std::int64_t padded(std::int64_t elements) {
    return (elements + aligned_floats - 1) / aligned_floats * aligned_floats;
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
    plan_activations();
}

void Network::plan_parameters() {
    for (const auto& layer : layers_)
        for (const ParameterSpec& spec : layer->parameters())
            parameter_count_ += padded(spec.shape.elements());
    parameters_ = kernels_.allocate_zeros({parameter_count_});
    gradients_ = kernels_.allocate_zeros({parameter_count_});
    std::size_t offset = 0;
    for (const auto& layer : layers_) {
        ParameterViews w, dw;
        for (const ParameterSpec& spec : layer->parameters()) {
            w.push_back(parameters_.view<float>(spec.shape, offset));
            dw.push_back(gradients_.view<float>(spec.shape, offset));
            offset += static_cast<std::size_t>(padded(spec.shape.elements())) * sizeof(float);
        }
        w_.push_back(std::move(w));
        dw_.push_back(std::move(dw));
    }
}

void Network::plan_activations() {
    std::size_t bytes = 0;
    const auto place = [&](std::int64_t width) {
        const std::size_t offset = bytes;
        bytes += static_cast<std::size_t>(padded(batch_ * width)) * sizeof(float);
        return offset;
    };
    std::int64_t widest = 0;
    for (const auto& layer : layers_) {
        activation_offsets_.push_back(place(layer->outputs()));
        widest = std::max(widest, layer->outputs());
    }
    for (std::size_t& offset : delta_offsets_) offset = place(widest);
    arena_ = kernels_.allocate(bytes);
}

std::string Network::description() const {
    std::string text;
    for (const auto& layer : layers_) text += (text.empty() ? "" : " | ") + layer->description();
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
    return arena_.view<float>({n, width(l)}, activation_offsets_[static_cast<std::size_t>(l - 1)]);
}

Tensor Network::delta(int l, std::int64_t n) const {
    return arena_.view<float>({n, width(l)}, delta_offsets_[l % 2]);
}

void Network::initialize(const Initializer& how, std::uint64_t seed) {
    kernels_.zero(parameters());
    std::vector<float> host;
    std::uint32_t stream = 0;  // one sequence a tensor, so that widening one layer leaves the others' weights
    for (std::size_t l = 0; l < layers_.size(); ++l) {
        const std::vector<ParameterSpec> specs = layers_[l]->parameters();
        for (std::size_t p = 0; p < specs.size(); ++p, ++stream) {
            if (specs[p].fan_in == 0) continue;
            host.resize(static_cast<std::size_t>(specs[p].shape.elements()));
            how.fill(host, specs[p].fan_in, specs[p].fan_out, seed, stream);
            kernels_.upload(std::span<const float>(host), w_[l][p]);
        }
    }
}

ConstTensor Network::forward(ConstTensor x, int last, Tensor into) {
    const int end = layer_index(last);
    const std::int64_t n = x.rows();
    if (n > batch_) throw InputError("forward of {} rows, expected at most the batch of {}", n, batch_);
    for (int l = 1; l <= end; ++l) {
        const Tensor y = l == end && into ? into : activation(l, n);
        const auto layer = static_cast<std::size_t>(l - 1);
        layers_[layer]->forward(kernels_, w_[layer], x, y);
        x = y;
    }
    if (end == 0 && into) {
        kernels_.copy(x, into);
        x = into;
    }
    return x;
}

Tensor Network::output_gradient(std::int64_t n) const {
    return delta(depth(), n);
}

void Network::backward(ConstTensor x, GradMode mode) {
    const std::int64_t n = x.rows();
    for (int l = depth(); l >= 1; --l) {
        const auto layer = static_cast<std::size_t>(l - 1);
        const ConstTensor input = l == 1 ? x : ConstTensor(activation(l - 1, n));
        const Tensor dx = l == 1 ? Tensor{} : delta(l - 1, n);
        layers_[layer]->backward(kernels_, w_[layer], dw_[layer], input, activation(l, n), delta(l, n), dx,
                                 mode);
    }
}

}  // namespace deepfreq
