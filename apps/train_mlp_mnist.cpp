// Fig. 8: a fully connected network learns MNIST; RDF of every hidden layer while it does
#include <spdlog/spdlog.h>

#include "analysis/figures.h"
#include "apps/common/manifest.h"
#include "apps/common/program.h"
#include "apps/common/progress.h"
#include "apps/common/training_run.h"
#include "data/mnist.h"
#include "engine/layers/dense.h"
#include "models/mlp.h"

namespace {

using namespace deepfreq;

constexpr const char* app_name = "train_mlp_mnist";

struct Flags {
    std::string hidden = "500x5";
    std::string activation = "tanh";
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

RunFolder open_folder(const Flags& flags) {
    if (!flags.run.resume.empty()) return RunFolder::open(flags.run.resume);
    if (!flags.run.out.empty()) return RunFolder::create(flags.run.out);
    return RunFolder::create(RunFolder::next_free(std::filesystem::path("runs") / app_name));
}

TrainValidation load_data(const std::string& place) {
    MnistOptions options;
    options.data = place;
    options.notice = [](const std::string& line) { spdlog::info(line); };
    options.download.progress = show_download;
    TrainValidation data = load_mnist(options);
    spdlog::info("data: {}", data.source);
    return data;
}

TrainingPlan make_plan(const Flags& flags, const TrainValidation& data) {
    const MlpParams params{data.train.features, parse_widths(flags.hidden), data.train.classes,
                           parse_activation(flags.activation)};
    return {"mlp", mlp(params), flags.training, flags.probes, flags.run};
}

bool is_paper_setting(const Flags& flags, const TrainValidation& data) {
    const Flags paper;
    const TrainingFlags &found = flags.training, &expected = paper.training;
    return flags.hidden == paper.hidden && flags.activation == paper.activation &&
           found.loss == expected.loss && found.learning_rate == expected.learning_rate &&
           found.schedule == expected.schedule && found.batch == expected.batch &&
           found.samples == expected.samples && found.until_loss == expected.until_loss &&
           found.initializer == expected.initializer && found.epochs == expected.epochs &&
           data.train.name == "mnist";
}

void write_manifest(const RunFolder& folder, int argc, char** argv, const Flags& flags,
                    const std::string& device, const TrainValidation& data, const std::string& network) {
    nlohmann::json manifest = manifest_of_program(app_name, argc, argv);
    manifest["device"] = device;
    manifest["precision"] = flags.run.precision + ", sums over samples in float64";
    manifest["seed"] = flags.training.seed;
    manifest["network"] = network;
    manifest["data"] = {{"name", data.train.name}, {"source", data.source}, {"md5", data.train.checksum}};
    manifest["paper_setting"] = is_paper_setting(flags, data);
    folder.write("manifest.json",
                 manifest.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
}

void run(CLI::App& app, Flags& flags, int argc, char** argv) {
    take_options_of_earlier_run(app, argc, argv, flags.run);
    if (flags.run.quick) choose_quick_setting(app, flags);
    const OpenedKernels device = open_kernels(flags.run.device, parse_precision(flags.run.precision));
    spdlog::info("device: {} ({})", device.kernels->description(), device.reason);
    const TrainValidation data = load_data(flags.run.data);
    TrainingRun training(*device.kernels, make_plan(flags, data), data);
    spdlog::info("network: {}", training.network_description());
    std::vector<std::filesystem::path> kept;
    if (!flags.run.probe_run.empty()) {
        const auto wanted = [&](std::int64_t epoch) {
            return flags.probes.epochs == "auto" || flags.probes.is_due(epoch);
        };
        kept = RunFolder::open(flags.run.probe_run).kept_checkpoints(wanted);
    }
    RunFolder folder = open_folder(flags);
    training.open(folder);
    // A measurement of kept checkpoints is no training to go on with: its options have another name.
    folder.write(kept.empty() ? "config.toml" : "probe.toml", app.config_to_str(true, false));
    if (!std::filesystem::exists(folder.path() / "manifest.json"))
        write_manifest(folder, argc, argv, flags, device.kernels->description(), data,
                       training.network_description());

    catch_interrupts();
    if (kept.empty())
        training.train();
    else
        training.measure_kept(kept);
    if (!flags.run.no_figures) {
        const std::string failure = draw_figures(source_file("analysis/figures.py"), folder.path());
        if (!failure.empty()) spdlog::warn(failure);
    }
    spdlog::info("written: {}", folder.path().string());
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app(
        "Trains a fully connected network on MNIST and measures the frequency content (LFR, RDF) of what "
        "each\n"
        "hidden layer still has to learn: Figure 8 of Xu & Zhou, AAAI 2021, by default at the paper's scale.",
        app_name);
    app.get_formatter()->column_width(36);
    app.option_defaults()->always_capture_default()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    Flags flags;
    flags.add_to(app);
    return run_program(app, argc, argv, [&] { run(app, flags, argc, argv); });
}
