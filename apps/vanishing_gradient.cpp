// Fig. 9: very deep fully connected networks learn MNIST, with and without residual connections
#include <fmt/core.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <utility>
#include <vector>

#include "apps/cli/mnist.h"
#include "apps/cli/option_checks.h"
#include "apps/cli/program.h"
#include "apps/cli/training_app.h"
#include "common/error.h"
#include "data/mnist.h"
#include "engine/layers/dense.h"
#include "models/mlp.h"
#include "runs/memory_check.h"
#include "runs/report.h"

namespace {

using namespace deepfreq;

constexpr const char* app_name = "vanishing_gradient";

struct Flags : TrainingAppFlags {
    std::string depths = "20,60,80";
    std::string residual = "no";
    std::int64_t residual_every = 1;
    // The paper does not specify the following. No values tried reproduce all of Fig. 9;
    // benchmarks/results/fig9-search explains why these were chosen.
    int residual_span = 2;
    std::int64_t width = 500;
    std::string activation = "tanh";

    Flags() {
        training = {.loss = "softmax-ce",
                    .initializer = "normal:0.04",
                    .schedule = {},
                    .epochs = 267,
                    .until_loss = 0.0,
                    .gradient_norms = true};
        probes = {.epochs = "0,267", .layers = "-3"};
    }
    void add_to(CLI::App& app);
};

// For each set of networks to train: whether it has residual connections.
std::vector<bool> parse_residual(const std::string& text) {
    if (text == "no") return {false};
    if (text == "yes") return {true};
    if (text == "both") return {false, true};
    throw InputError("the residual connections are '{}', expected no, yes or both", text);
}

void Flags::add_to(CLI::App& app) {
    const char* const group = "Network";
    app.add_option("--depth", depths, "layers of each network, the linear output among them, as 20,60,80")
        ->check(parses(parse_widths))
        ->group(group);
    // CLI11's options can omit their value only if that means the default; its flags can omit it in any case.
    app.add_flag(
           "--residual{yes}", residual,
           "no: plain networks; yes, or nothing behind it: x + activation(w x + b) wherever widths agree; "
           "both: first plain ones, then residual ones")
        ->expected(0, 1)
        ->default_str(residual)
        ->check(parses(parse_residual))
        ->group(group);
    app.add_option("--residual-every", residual_every,
                   "residual networks: only every K-th of the layers whose widths agree adds its input")
        ->check(at_least(1))
        ->group(group);
    app.add_option("--residual-span", residual_span,
                   "residual networks: a connection around so many layers, which count as one then: with 2, "
                   "x + activation(w2 activation(w1 x + b1) + b2)")
        ->check(CLI::Range(1, 16))
        ->group(group);
    app.add_option("--width", width, "units of every hidden layer")->check(at_least(1))->group(group);
    app.add_option("--activation", activation, "tanh, relu, sigmoid or identity")
        ->check(parses(parse_activation))
        ->group(group);
    add_shared_to(app);
}

void choose_quick_setting(CLI::App& app, const Flags& flags) {
    default_to(app, "--width", "64");
    // 0.04 sqrt(500 / 64): signals shrink as in the full-width network.
    default_to(app, "--init", "normal:0.1118");
    default_to(app, "--samples", "3000");
    default_to(app, "--lr", "1e-4");
    default_to(app, "--epochs", "60");
    default_to(app, "--probe-epochs", "0,60");
    report(
        "--quick: {} samples, width {}, {} epochs at learning rate {:g}. The paper's scale is 30000 samples, "
        "267 epochs; its width is taken to be 500, its learning rate 1e-05.",
        flags.training.samples, flags.width, flags.training.epochs, flags.training.learning_rate);
}

std::vector<NetworkPlan> plan_networks(const Flags& flags, const Backend& backend) {
    std::vector<NetworkPlan> networks;
    MlpParams params{mnist_features, {}, mnist_classes, parse_activation(flags.activation)};
    for (const bool residual : parse_residual(flags.residual)) {
        for (const std::int64_t depth : parse_widths(flags.depths)) {
            if (depth < 2)
                throw InputError("--depth is {}, expected at least 2: a hidden layer and the output", depth);
            const std::int64_t spanned = flags.residual_every * flags.residual_span;
            if (residual && depth < 2 + spanned)
                throw InputError(
                    "--depth is {}, but residual connections around {} layers, every {}, need at least {}",
                    depth, flags.residual_span, flags.residual_every, 2 + spanned);
            check_network_fits(backend, depth, flags.width);
            params.hidden.assign(static_cast<std::size_t>(depth - 1), flags.width);
            params.residual_every = residual ? flags.residual_every : 0;
            params.residual_span = flags.residual_span;
            const std::string name = fmt::format("{}-{}", residual ? "residual" : "plain", depth);
            if (std::ranges::count(networks, name, &NetworkPlan::name) > 0)
                throw InputError("--depth is '{}', expected each once", flags.depths);
            networks.push_back({name, [params](std::uint64_t) { return mlp(params); }});
        }
    }
    return networks;
}

void run(CLI::App& app, Flags& flags, const Command& command) {
    TrainingApp training(app, flags, command);
    training.settle_options([&] { choose_quick_setting(app, flags); });
    flags.probes.check_within(flags.training.epochs);
    const Backend& backend = training.open_device();
    Experiment experiment = training.experiment();
    experiment.networks = plan_networks(flags, backend);
    training.check(experiment);
    training.run(experiment, load_mnist_telling(flags.run.data));
}

}  // namespace

int main(int argc, char** argv) {
    return run_app<Flags>(app_name,
                          "Trains fully connected networks of many layers on MNIST, plain and with residual "
                          "connections: Figure 9 of\n"
                          "Xu & Zhou, AAAI 2021.",
                          argc, argv, run);
}
