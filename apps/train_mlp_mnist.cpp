// Fig. 8: a fully connected network learns MNIST; RDF of every hidden layer while it does
#include <spdlog/spdlog.h>

#include <utility>

#include "apps/common/experiment.h"
#include "apps/common/mnist.h"
#include "apps/common/program.h"
#include "data/mnist.h"
#include "engine/layers/dense.h"
#include "models/mlp.h"

namespace {

using namespace deepfreq;

constexpr const char* app_name = "train_mlp_mnist";

struct Flags {
    std::string hidden = "500x5";
    std::string activation = "tanh";
    bool residual = false;
    TrainingFlags training;
    ProbeFlags probes;
    RunFlags run;

    void add_to(CLI::App& app) {
        app.add_option("--hidden", hidden, "widths of the hidden layers, as 500x5 or 500,300,100")
            ->check(parses([](const std::string& s) { parse_widths(s); }, ""))
            ->group("Network");
        app.add_option("--activation", activation, "tanh, relu, sigmoid or identity")
            ->check(parses([](const std::string& s) { parse_activation(s); }, ""))
            ->group("Network");
        app.add_flag("--residual", residual,
                     "hidden layers as wide as their input add it: x + sigma(w x + b)")
            ->group("Network");
        training.add_to(app);
        probes.add_to(app);
        run.add_to(app);
    }
};

void choose_quick_setting(CLI::App& app, const Flags& flags) {
    default_to(app, "--samples", "3000");
    default_to(app, "--lr", "1e-4");
    default_to(app, "--epochs", "100");
    spdlog::info("--quick: {} samples at learning rate {:g}. The paper's scale is 30000 at 1e-05.",
                 flags.training.samples, flags.training.learning_rate);
}

bool is_paper_setting(const Flags& flags, const TrainValidation& data) {
    const Flags paper;
    const TrainingFlags &found = flags.training, &expected = paper.training;
    return flags.hidden == paper.hidden && flags.activation == paper.activation && !flags.residual &&
           found.loss == expected.loss && found.learning_rate == expected.learning_rate &&
           found.schedule == expected.schedule && found.batch == expected.batch &&
           found.samples == expected.samples && found.until_loss == expected.until_loss &&
           found.initializer == expected.initializer && found.epochs == expected.epochs &&
           data.train.name == "mnist";
}

Experiment make_experiment(const Flags& flags) {
    const MlpParams params{mnist_features, parse_widths(flags.hidden), mnist_classes,
                           parse_activation(flags.activation), flags.residual ? 1 : 0};
    Experiment experiment{app_name, {}, {flags.training, flags.probes, flags.run}};
    experiment.networks.push_back({"mlp", mlp(params)});
    return experiment;
}

void run(CLI::App& app, Flags& flags, int argc, char** argv) {
    take_options_of_files(app, flags.run);
    if (flags.run.quick) choose_quick_setting(app, flags);
    const OpenedKernels device = open_kernels(flags.run.device, parse_precision(flags.run.precision));
    spdlog::info("device: {} ({})", device.kernels->description(), device.reason);
    Experiment experiment = make_experiment(flags);
    check_experiment(experiment, *device.kernels);
    const TrainValidation data = load_mnist_telling(flags.run.data);
    experiment.facts["paper_setting"] = is_paper_setting(flags, data);
    run_experiment(app, argc, argv, std::move(experiment), device, data);
}

}  // namespace

int main(int argc, char** argv) {
    return run_app<Flags>(
        app_name,
        "Trains a fully connected network on MNIST and measures the frequency content (LFR, RDF) of "
        "what each\n"
        "hidden layer still has to learn: Figure 8 of Xu & Zhou, AAAI 2021, by default at the "
        "paper's scale.",
        argc, argv, run);
}
