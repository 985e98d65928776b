#pragma once

#include <nlohmann/json.hpp>

#include "tests/engine_fixtures.h"

// Training as PyTorch did it: what the fixtures under tests/fixtures/ are compared by.

namespace deepfreq::tests {

/// A buffer of tensors becomes a list of lists of numbers.
inline void upload_tensors(Backend& backend, const nlohmann::json& tensors,
                           const std::vector<ParameterPlace>& places, Tensor to) {
    std::vector<float> host(static_cast<std::size_t>(to.elements()), 0.0F);
    REQUIRE(tensors.size() == places.size());
    for (std::size_t i = 0; i < places.size(); ++i) {
        const auto values = tensors[i].get<std::vector<float>>();
        REQUIRE(values.size() == places[i].count);
        std::ranges::copy(values, host.begin() + static_cast<std::ptrdiff_t>(places[i].offset));
    }
    backend.upload(std::span<const float>(host), to);
}

/// Every tensor of a buffer against PyTorch's, relative to that tensor's largest magnitude.
inline void check_tensors(Backend& backend, Tensor found, const std::vector<ParameterPlace>& places,
                          const nlohmann::json& expected, double tolerance) {
    const std::vector<float> host = on_host(backend, found);
    REQUIRE(expected.size() == places.size());
    for (std::size_t i = 0; i < places.size(); ++i) {
        CAPTURE(i);
        const auto tensor = std::span(host).subspan(places[i].offset, places[i].count);
        CHECK(relative_difference(tensor, expected[i].get<std::vector<double>>()) < tolerance);
    }
}

/// Full-batch training of a network, step by step through Backend: Adam at a learning rate of 1e-3. The batch
/// is the network's.
class HandTrainer {
  public:
    HandTrainer(Backend& backend, Network& network, Loss loss, const std::vector<float>& inputs,
                const std::vector<float>& targets, const AdamParams& adam = {})
        : backend_(backend),
          adam_(adam),
          network_(network),
          loss_(loss),
          x_(on_device(backend, {network.batch(), network.width(0)}, inputs)),
          t_(on_device(backend, {network.batch(), network.width(-1)}, targets)),
          m_(backend.allocate_zeros(network.parameters().shape)),
          v_(backend.allocate_zeros(network.parameters().shape)),
          sums_(backend.allocate(sizeof(double))),
          state_(backend.allocate(sizeof(StepState))) {}

    ConstTensor inputs() const { return x_.view; }

    /// Mean loss of the network as it is; leaves the gradients.
    double loss_and_gradients() {
        set_state();
        backend_.zero(sums());
        const ConstTensor p = network_.forward_training(x_.view);
        apply_loss(backend_, loss_, p, t_.view, network_.output_gradient(network_.batch()), sums(), state());
        network_.backward(x_.view);
        return on_host(backend_, sums()).front() / static_cast<double>(network_.batch());
    }

    void update() {
        set_state();
        const Shape shape = network_.parameters().shape;
        backend_(Adam{.w = network_.parameters(),
                      .dw = network_.gradients(),
                      .m = m_.view<float>(shape),
                      .v = v_.view<float>(shape),
                      .params = adam_,
                      .state = state()});
        ++updates_;
    }

  private:
    TensorView<double> sums() const { return sums_.view<double>({1}); }
    TensorView<StepState> state() const { return state_.view<StepState>({1}); }
    void set_state() {
        const StepState now{.update = updates_, .learning_rate = 1e-3F};
        backend_.upload(std::span<const StepState>(&now, 1), state());
    }

    Backend& backend_;
    AdamParams adam_;
    Network& network_;
    Loss loss_;
    DeviceTensor x_, t_;
    Buffer m_, v_, sums_, state_;
    std::int64_t updates_ = 0;
};

}  // namespace deepfreq::tests
