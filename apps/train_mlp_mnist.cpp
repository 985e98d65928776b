// Fig. 8: a fully connected network learns MNIST; RDF of every hidden layer during training

#include <CLI/App.hpp>
#include <utility>

#include "apps/cli/mnist.h"
#include "apps/cli/option_checks.h"
#include "apps/cli/program.h"
#include "apps/cli/settings.h"
#include "apps/cli/training_app.h"
#include "data/mnist.h"
#include "engine/layers/dense.h"
#include "models/mlp.h"
#include "runs/report.h"

namespace {

using namespace deepfreq;

constexpr const char* app_name = "train_mlp_mnist";

const std::string text = "what the paper's text says; where it is silent, the programs and our choices";
const std::string programs = "what the authors' programs do";

/// The two settings, which share everything except what `more` gives.
Setting setting(const std::string& name, const std::string& meaning,
                const std::vector<std::pair<std::string, std::string>>& more) {
    Setting made{name,
                 meaning,
                 {{"hidden", "500x5"},
                  {"activation", "tanh"},
                  {"residual", "false"},
                  {"loss", "mse"},
                  {"init", "glorot-normal"},
                  {"adam-epsilon", "1e-8"},
                  {"samples", "30000"},
                  {"epochs", "2000"},
                  {"until-loss", "1e-2"}}};
    made.options.insert(made.options.end(), more.begin(), more.end());
    return made;
}

struct Flags : TrainingAppFlags {
    std::string hidden = "500x5";
    std::string activation = "tanh";
    bool residual = false;
    Settings settings{{setting("paper", text,
                               {{"batch", "256"},
                                {"lr", "1e-5"},
                                {"lr-decay", "0"},
                                {"scale", "max-abs"},
                                {"inv-delta", "auto"},
                                {"probe-layers", "hidden"},
                                {"probe-epochs", "auto"}}),
                       setting("authors", programs,
                               {{"batch", "30000"},
                                {"lr", "5e-5"},
                                {"lr-decay", "2e-5"},
                                {"scale", "centred"},
                                {"inv-delta", "authors"},
                                {"probe-layers", "all"},
                                {"probe-epochs", "every:100,last"}})}};

    void add_to(CLI::App& app) {
        app.add_option("--hidden", hidden, "widths of the hidden layers, as 500x5 or 500,300,100")
            ->check(parses(parse_widths))
            ->group("Network");
        app.add_option("--activation", activation, "tanh, relu, sigmoid or identity")
            ->check(parses(parse_activation))
            ->group("Network");
        app.add_flag("--residual,!--no-residual", residual,
                     "hidden layers as wide as their input add it: x + activation(w x + b)")
            ->default_str("false")
            ->group("Network");
        add_shared_to(app);
        settings.add_to(app);
    }
};

void choose_quick_setting(CLI::App& app, const Flags& flags) {
    const bool whole = flags.settings.chosen() == "authors";
    default_to(app, "--samples", whole ? "1000" : "3000");
    default_to(app, "--lr", whole ? "4e-4" : "1e-4");
    default_to(app, "--epochs", whole ? "200" : "100");
    if (whole) default_to(app, "--probe-epochs", "every:20,last");
    report("--quick: {} samples at learning rate {:g}. The paper's scale is 30000.", flags.training.samples,
           flags.training.learning_rate);
}

void run(CLI::App& app, Flags& flags, const Command& command) {
    TrainingApp training(app, flags, command);
    training.settle_options([&] { choose_quick_setting(app, flags); }, &flags.settings);
    training.open_device();
    Experiment experiment = training.experiment();
    const MlpParams params{mnist_features, parse_widths(flags.hidden), mnist_classes,
                           parse_activation(flags.activation), flags.residual ? 1 : 0};
    experiment.networks.push_back({"mlp", [params](std::uint64_t) { return mlp(params); }});
    training.check(experiment);
    training.run(experiment, load_mnist_telling(flags.run.data));
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
