// Where the network puts what its layers ask for.
#include <doctest/doctest.h>

#include "engine/layers/dense.h"
#include "engine/network.h"
#include "tests/backends.h"
#include "tests/engine_fixtures.h"

using namespace deepfreq;
using namespace deepfreq::tests;

namespace {

/// Memory as one layer saw it, forwards and backwards.
struct Seen {
    std::vector<ConstTensor> forward;  // y, saved
    std::vector<ConstTensor> state;
    std::vector<ConstTensor> backward;   // y, saved
    std::vector<ConstTensor> transient;  // dy, dx, scratch
};

/// A layer that computes nothing and tells what memory it was given.
class Watched final : public Layer {
  public:
    Watched(std::int64_t inputs, std::int64_t outputs, Seen& seen)
        : inputs_(inputs), outputs_(outputs), seen_(seen) {}
    std::string description() const override { return "watched"; }
    std::int64_t inputs() const override { return inputs_; }
    std::int64_t outputs() const override { return outputs_; }
    void plan(MemoryPlan& plan) override {
        plan.parameter({.shape = {outputs_}});
        states_ = {plan.state({.shape = {3}}), plan.state({.shape = {outputs_}})};
        saved_ = {plan.saved(PerRow{{2, 1, outputs_}}), plan.saved(Shape{outputs_}), plan.saved(PerRow{{3}})};
        scratch_ = {plan.scratch(PerRow{{inputs_}}), plan.scratch(Shape{3}),
                    plan.scratch(PerRow{{outputs_ + 5}})};
    }
    void forward(Backend& /*backend*/, const LayerMemory& memory, Mode /*mode*/, ConstTensor /*x*/,
                 Tensor y) const override {
        seen_ = {};
        seen_.forward = {y};
        for (const Saved saved : saved_) seen_.forward.emplace_back(memory[saved]);
        for (const State state : states_) seen_.state.emplace_back(memory[state]);
    }
    void backward(Backend& /*backend*/, const LayerMemory& memory, ConstTensor /*x*/, ConstTensor y,
                  Tensor dy, Tensor dx, GradMode /*grad*/) const override {
        seen_.backward = {y};
        for (const Saved saved : saved_) seen_.backward.emplace_back(memory[saved]);
        seen_.transient = {dy};
        if (dx) seen_.transient.emplace_back(dx);
        for (const Scratch scratch : scratch_) seen_.transient.emplace_back(memory[scratch]);
    }

  private:
    std::int64_t inputs_, outputs_;
    std::vector<State> states_;
    std::vector<Saved> saved_;
    std::vector<Scratch> scratch_;
    Seen& seen_;
};

void check_apart(std::vector<ConstTensor> views) {
    std::ranges::sort(views, {}, &ConstTensor::data);
    for (std::size_t i = 0; i < views.size(); ++i) {
        CHECK(reinterpret_cast<std::uintptr_t>(views[i].data) % 64 == 0);
        if (i > 0) CHECK(views[i].data >= views[i - 1].data + views[i - 1].elements());
    }
}

std::vector<Shape> shapes_of(const std::vector<ConstTensor>& views) {
    std::vector<Shape> shapes;
    shapes.reserve(views.size());
    for (const ConstTensor& view : views) shapes.push_back(view.shape);
    return shapes;
}

/// A dense layer that tells which parameters and gradients the network gave it.
class WatchedDense final : public Layer {
  public:
    struct Seen {
        std::vector<Tensor> w, dw;
    };

    WatchedDense(std::int64_t inputs, std::int64_t outputs, Seen& seen)
        : dense_(inputs, outputs, Activation::Tanh), seen_(seen) {}
    std::string description() const override { return dense_.description(); }
    std::int64_t inputs() const override { return dense_.inputs(); }
    std::int64_t outputs() const override { return dense_.outputs(); }
    void plan(MemoryPlan& plan) override {
        const std::size_t first = plan.parameters().size();
        dense_.plan(plan);
        for (std::size_t p = first; p < plan.parameters().size(); ++p) parameters_.push_back({p});
    }
    void forward(Backend& backend, const LayerMemory& memory, Mode mode, ConstTensor x,
                 Tensor y) const override {
        for (const Parameter p : parameters_) seen_.w.push_back(memory[p]);
        dense_.forward(backend, memory, mode, x, y);
    }
    void backward(Backend& backend, const LayerMemory& memory, ConstTensor x, ConstTensor y, Tensor dy,
                  Tensor dx, GradMode grad) const override {
        std::vector<Tensor> gradients;
        for (const Parameter p : parameters_) gradients.push_back(memory.grad(p));
        seen_.dw.insert(seen_.dw.begin(), gradients.begin(), gradients.end());
        dense_.backward(backend, memory, x, y, dy, dx, grad);
    }

  private:
    Dense dense_;
    std::vector<Parameter> parameters_;
    Seen& seen_;
};

void check_back_to_back(const std::vector<Tensor>& views, Tensor whole) {
    const float* end = whole.data;
    for (const Tensor& view : views) {
        CHECK(view.data >= end);      // none overlaps the one before,
        CHECK(view.data - end < 16);  // and no more than the alignment lies between them
        CHECK(reinterpret_cast<std::uintptr_t>(view.data) % 64 == 0);
        end = view.data + view.elements();
    }
    CHECK(end <= whole.data + whole.elements());
}

}  // namespace

TEST_CASE("engine/network: parameters and gradients are one contiguous, aligned buffer each") {
    for (const TestedBackend& tested : backends_present()) {
        Backend& backend = *tested.backend;
        WatchedDense::Seen seen;
        std::vector<std::unique_ptr<Layer>> layers;
        layers.push_back(std::make_unique<WatchedDense>(5, 7, seen));
        layers.push_back(std::make_unique<WatchedDense>(7, 16, seen));
        layers.push_back(std::make_unique<WatchedDense>(16, 1, seen));
        Network network(backend, std::move(layers), 3);
        const DeviceTensor x = on_device(backend, {3, 5}, normal_values(15, 10));
        network.forward_training(x.view);
        backend.zero(network.output_gradient(3));
        network.backward(x.view);
        REQUIRE(seen.w.size() == 6);
        REQUIRE(seen.dw.size() == 6);
        check_back_to_back(seen.w, network.parameters());
        check_back_to_back(seen.dw, network.gradients());
        CHECK(seen.w[2].shape == Shape{16, 7});
        CHECK(seen.w[3].shape == Shape{16});
    }
}

TEST_CASE("engine/network: outputs, what layers save, gradients and scratch do not overlap, for any rows") {
    for (const TestedBackend& tested : backends_present())
        for (const std::int64_t n : {1, 4, 7}) {
            CAPTURE(n);
            Backend& backend = *tested.backend;
            const std::int64_t widths[] = {5, 33, 2, 17};
            Seen seen[3];
            std::vector<std::unique_ptr<Layer>> layers;
            for (std::size_t l = 0; l < 3; ++l)
                layers.push_back(std::make_unique<Watched>(widths[l], widths[l + 1], seen[l]));
            Network network(backend, std::move(layers), 7);
            const DeviceTensor x = on_device(backend, {n, 5}, normal_values(n * 5, 1));
            network.forward_training(x.view);
            network.backward(x.view);

            std::vector<ConstTensor> lasting, states;
            for (const Seen& layer : seen) {
                lasting.insert(lasting.end(), layer.forward.begin(), layer.forward.end());
                states.insert(states.end(), layer.state.begin(), layer.state.end());
            }
            check_apart(lasting);
            check_apart(states);
            CHECK(states.front().data == network.state().data);
            CHECK(states.back().data + states.back().elements() <=
                  network.state().data + network.state().elements());
            for (std::size_t l = 0; l < 3; ++l) {
                CAPTURE(l);
                std::vector<ConstTensor> alive = lasting;
                alive.insert(alive.end(), seen[l].transient.begin(), seen[l].transient.end());
                check_apart(alive);
                const std::int64_t in = widths[l], out = widths[l + 1];
                CHECK(shapes_of(seen[l].forward) ==
                      std::vector<Shape>{{n, out}, {n, 2, 1, out}, {out}, {n, 3}});
                CHECK(shapes_of(seen[l].state) == std::vector<Shape>{{3}, {out}});
                REQUIRE(seen[l].backward.size() == seen[l].forward.size());  // and it finds it all again
                for (std::size_t i = 0; i < seen[l].forward.size(); ++i)
                    CHECK(seen[l].backward[i].data == seen[l].forward[i].data);
                std::vector<Shape> transient = {{n, out}, {n, in}, {n, in}, {3}, {n, out + 5}};
                if (l == 0)
                    transient.erase(transient.begin() + 1);  // nobody asks for the gradient with respect to x
                CHECK(shapes_of(seen[l].transient) == transient);
            }
            CHECK(seen[0].transient.front().data ==
                  seen[1].transient[1].data);  // dx of one is dy of the next
        }
}
