#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/philox.h"
#include "data/dataset.h"
#include "engine/loss.h"
#include "engine/network.h"
#include "models/mlp.h"
#include "oracle/reference.h"

// What the tests of engine/ share: small data, device memory in one line, and an MLP in double.

namespace deepfreq::tests {

/// Standard normal floats, a pure function of count and stream.
inline std::vector<float> normal_values(std::int64_t count, std::uint32_t stream) {
    const Philox random(2024, RandomUse::Functions, stream);
    std::vector<float> values(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(random.normal(i));
    return values;
}

struct DeviceTensor {
    Buffer memory;
    Tensor view;
};

inline DeviceTensor on_device(Backend& backend, Shape shape, const std::vector<float>& values) {
    DeviceTensor tensor{backend.allocate(values.size() * sizeof(float)), {}};
    tensor.view = tensor.memory.view<float>(shape);
    backend.upload(std::span<const float>(values), tensor.view);
    return tensor;
}

template <class T>
std::vector<std::remove_const_t<T>> on_host(Backend& backend, TensorView<T> tensor) {
    std::vector<std::remove_const_t<T>> values(static_cast<std::size_t>(tensor.elements()));
    backend.download(tensor, std::span(values));
    return values;
}

/// Labelled points around as many well separated centres as there are classes.
inline Dataset labelled_points(std::int64_t samples, std::int64_t features, std::int32_t classes) {
    Dataset data;
    data.name = "points";
    data.samples = samples;
    data.features = features;
    data.classes = classes;
    data.inputs = normal_values(samples * features, 1);
    for (std::int64_t i = 0; i < samples; ++i) {
        const auto label = static_cast<std::int32_t>((7 * i) % classes);
        data.labels.push_back(label);
        for (std::int64_t k = 0; k < features; ++k) {
            float& x = data.inputs[static_cast<std::size_t>(i * features + k)];
            x = 0.2F * x + (k % classes == label ? 1.0F : 0.0F);
        }
    }
    return data;
}

/// Where one tensor lies in Network::parameters() or Network::state(): every tensor begins on 64 bytes.
struct ParameterPlace {
    std::size_t offset, count;
};

inline std::vector<ParameterPlace> places_of(const std::vector<MemoryPlan::Lasting>& tensors) {
    std::vector<ParameterPlace> places;
    std::size_t offset = 0;
    for (const MemoryPlan::Lasting& tensor : tensors) {
        const auto count = static_cast<std::size_t>(tensor.spec.shape.elements());
        places.push_back({offset, count});
        offset += (count + 15) / 16 * 16;
    }
    return places;
}

inline MemoryPlan plan_of(const std::vector<std::unique_ptr<Layer>>& layers) {
    MemoryPlan plan(1);
    for (const auto& layer : layers) {
        plan.begin_layer();
        layer->plan(plan);
    }
    return plan;
}

inline std::vector<ParameterPlace> parameter_places(const std::vector<std::unique_ptr<Layer>>& layers) {
    return places_of(plan_of(layers).parameters());
}

inline std::vector<ParameterPlace> state_places(const std::vector<std::unique_ptr<Layer>>& layers) {
    return places_of(plan_of(layers).states());
}

/// f[0] … f[L] of an MLP for x[n,inputs], in double; `parameters` as they lie in Network::parameters().
inline std::vector<reference::Values> mlp_activations(const MlpParams& params,
                                                      const reference::Values& parameters,
                                                      const reference::Values& x) {
    const auto places = parameter_places(mlp(params));
    const auto tensor = [&](std::size_t i) {
        const auto first = parameters.begin() + static_cast<std::ptrdiff_t>(places[i].offset);
        return reference::Values(first, first + static_cast<std::ptrdiff_t>(places[i].count));
    };
    const std::int64_t n = std::ssize(x) / params.inputs;
    std::vector<std::int64_t> widths = params.hidden;
    widths.insert(widths.begin(), params.inputs);
    widths.push_back(params.outputs);
    std::vector<reference::Values> f = {x};
    for (std::size_t l = 1; l < widths.size(); ++l) {
        const Activation activation = l + 1 == widths.size() ? Activation::Identity : params.activation;
        f.push_back(reference::dense_forward(f.back(), tensor(2 * l - 2), tensor(2 * l - 1), activation,
                                             {n, widths[l - 1], widths[l]})
                        .value);
        if (params.residual_every == 1 && l + 1 < widths.size() && widths[l] == widths[l - 1])
            std::ranges::transform(f[l], f[l - 1], f[l].begin(), std::plus{});
    }
    return f;
}

/// The mean loss of outputs p[n,c], in double.
inline double mean_loss(Loss loss, const reference::Values& p, const reference::Values& t, std::int64_t c) {
    const std::int64_t n = std::ssize(p) / c;
    const auto result = loss == Loss::MeanSquaredError ? reference::mean_squared_error(p, t, n, c)
                                                       : reference::softmax_cross_entropy(p, t, n, c);
    return result.sum.value.front() / static_cast<double>(n);
}

inline reference::Values in_double(const std::vector<float>& values) {
    return {values.begin(), values.end()};
}

/// The largest difference of two tensors, relative to the largest magnitude of the expected one; infinite for
/// sizes that differ or a NaN.
template <class Found, class Expected>
double relative_difference(const Found& found, const Expected& expected) {
    if (found.size() != expected.size()) return INFINITY;
    double largest = 0.0, difference = 0.0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const double apart = std::abs(static_cast<double>(found[i]) - static_cast<double>(expected[i]));
        if (!std::isfinite(apart)) return INFINITY;
        difference = std::max(difference, apart);
        largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
    }
    return difference == 0.0 ? 0.0 : difference / largest;
}

}  // namespace deepfreq::tests
