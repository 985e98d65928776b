// A custom layer: a dense layer of low rank, built from two operations that the backends provide.
#include <deepfreq/data/functions.h>
#include <deepfreq/engine/layers/dense.h>
#include <deepfreq/engine/trainer.h>

#include <cstdio>
#include <exception>

using namespace deepfreq;

namespace {

/// y = tanh(v h + b) with h = u x + a: a dense layer whose weights v u have rank `rank`, and so fewer
/// parameters.
class LowRankDense final : public Layer {
  public:
    LowRankDense(std::int64_t inputs, std::int64_t outputs, std::int64_t rank)
        : inputs_(inputs), outputs_(outputs), rank_(rank) {}

    /// Distinguishes networks: a checkpoint does not fit a network with another description.
    std::string description() const override {
        return "low-rank dense " + std::to_string(inputs_) + "-" + std::to_string(rank_) + "-" +
               std::to_string(outputs_);
    }
    std::int64_t inputs() const override { return inputs_; }
    std::int64_t outputs() const override { return outputs_; }

    /// All memory is planned before the first step: parameters have gradients, `saved` lasts from forward to
    /// backward, `scratch` is shared by all layers.
    void plan(MemoryPlan& plan) override {
        u_ = plan.parameter({.shape = {rank_, inputs_}, .fan_in = inputs_, .fan_out = rank_, .name = "u"});
        a_ = plan.parameter({.shape = {rank_}, .name = "a"});
        v_ = plan.parameter({.shape = {outputs_, rank_}, .fan_in = rank_, .fan_out = outputs_, .name = "v"});
        bias_ = plan.parameter({.shape = {outputs_}, .name = "bias"});
        h_ = plan.saved(PerRow{{rank_}});
        dh_ = plan.scratch(PerRow{{rank_}});
    }

    void forward(Backend& backend, const LayerMemory& memory, Mode /*mode*/, ConstTensor x,
                 Tensor y) const override {
        backend(DenseForward{.x = x, .w = memory[u_], .b = memory[a_], .y = memory[h_]});
        backend(DenseForward{
            .x = memory[h_], .w = memory[v_], .b = memory[bias_], .activation = Activation::Tanh, .y = y});
    }

    void backward(Backend& backend, const LayerMemory& memory, ConstTensor x, ConstTensor y, Tensor dy,
                  Tensor dx, GradMode grad) const override {
        backend(DenseBackward{.x = memory[h_],
                              .w = memory[v_],
                              .y = y,
                              .activation = Activation::Tanh,
                              .dy = dy,
                              .dx = memory[dh_],
                              .dw = memory.grad(v_),
                              .db = memory.grad(bias_),
                              .mode = grad});
        backend(DenseBackward{.x = x,
                              .w = memory[u_],
                              .y = memory[h_],
                              .dy = memory[dh_],
                              .dx = dx,
                              .dw = memory.grad(u_),
                              .db = memory.grad(a_),
                              .mode = grad});
    }

  private:
    std::int64_t inputs_, outputs_, rank_;
    Parameter u_, a_, v_, bias_;
    Saved h_;
    Scratch dh_;
};

void train() {
    const OpenedBackend opened = open_backend("cpu");
    Backend& backend = *opened.backend;
    const DeviceDataset set(backend, sample_cos_k(2.0, {.n = 200, .low = -3.14, .high = 3.14}));
    std::vector<std::unique_ptr<Layer>> layers;
    layers.push_back(std::make_unique<Dense>(1, 64, Activation::Tanh));
    layers.push_back(std::make_unique<LowRankDense>(64, 64, 4));
    layers.push_back(std::make_unique<Dense>(64, 1, Activation::Identity));
    Network network(backend, std::move(layers), 200);
    network.initialize({}, 1);
    std::printf("%s: %lld parameters\n", network.description().c_str(),
                static_cast<long long>(network.parameters().elements()));

    Trainer trainer(backend, network, set, {.learning_rate = 3e-3});
    while (trainer.epoch() < 2000) trainer.finish_epoch([] { return true; });
    std::printf("loss after %lld epochs: %.2e\n", static_cast<long long>(trainer.epoch()),
                trainer.evaluate(set).loss);
}

}  // namespace

int main() {
    try {
        train();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "error: %s\n", error.what());
        return 1;
    }
}
