// Fig. 1: epochs until a fixed error, (a) of deeper networks, (b) of higher frequencies; and parity of d bits

#include <CLI/App.hpp>
#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "apps/cli/config_file.h"
#include "apps/cli/lists.h"
#include "apps/cli/option_checks.h"
#include "apps/cli/program.h"
#include "apps/cli/training_app.h"
#include "apps/fit_functions/side_by_side.h"
#include "common/atomic_file.h"
#include "common/error.h"
#include "engine/layers/dense.h"
#include "models/mlp.h"
#include "runs/drawing.h"
#include "runs/interrupt.h"
#include "runs/manifest.h"
#include "runs/memory_check.h"
#include "runs/report.h"

namespace {

using namespace deepfreq;

constexpr const char* app_name = "fit_functions";

struct Flags : TrainingAppFlags {
    std::string function = "fig1";
    std::string depths = "1,2,3,4,5,6";
    std::string k = "1,2,3,4,5,6,7,8";
    std::int64_t bits = 10;
    std::int64_t samples = 200;
    double range = 3.1416;

    std::int64_t width = 64;
    std::int64_t fixed_depth = 3;
    std::string activation = "tanh";

    bool paired = false;
    std::int64_t seeds = 20;
    std::int64_t jobs = 0;

    Flags() {
        training = {.initializer = "glorot-normal",
                    .learning_rate = 1e-4,
                    .schedule = {},
                    .batch = 1024,
                    .epochs = 100'000,
                    .until_loss = 1e-2};
        run.device = "cpu";
    }
    void add_to(CLI::App& app);
    void add_function_to(CLI::App& app);
    void add_network_to(CLI::App& app);
    void add_training_to(CLI::App& app);

    bool has_panel(char panel) const { return function == "fig1" || function == std::string("fig1") + panel; }
    FitOptions fit_options() const;
    nlohmann::json identity() const;
};

void check_function(const std::string& name) {
    for (const char* const known : {"fig1", "fig1a", "fig1b", "parity"})
        if (name == known) return;
    throw InputError("'{}' found, fig1, fig1a, fig1b or parity expected", name);
}

std::vector<double> parse_numbers(const std::string& text) {
    std::vector<double> numbers = distinct_numbers_between_commas(text);
    if (std::ranges::any_of(numbers, [](double number) { return number <= 0.0; }))
        throw InputError("'{}' found, finite numbers above 0 between commas expected", text);
    return numbers;
}

std::vector<std::int64_t> parse_depths(const std::string& text) {
    constexpr double deepest = 1e9;
    std::vector<std::int64_t> depths;
    for (const double number : parse_numbers(text)) {
        if (number != std::floor(number) || number > deepest)
            throw InputError("'{}' found, whole numbers up to {:g} between commas expected", text, deepest);
        depths.push_back(static_cast<std::int64_t>(number));
    }
    return depths;
}

void Flags::add_function_to(CLI::App& app) {
    const char* const group = "Function";
    app.add_option("--function", function,
                   "fig1 (both panels), fig1a (cos(3x) + cos(5x)), fig1b (cos(kx)) or parity")
        ->check(parses(check_function))
        ->group(group);
    app.add_option("--k", k, "of cos(kx), as 1,2.5,4")->check(parses(parse_numbers))->group(group);
    app.add_option("--bits", bits, "of the parity: all 2^bits inputs are learnt")
        ->check(CLI::Range(1, 20))
        ->group(group);
    app.add_option("--samples", samples, "evenly spaced points of a function of x")
        ->check(CLI::Range(2, 1'000'000))
        ->group(group);
    app.add_option("--range", range, "they go from -R to R")->check(finite_above_zero())->group(group);
}

void Flags::add_network_to(CLI::App& app) {
    const char* const group = "Network";
    app.add_option("--depths", depths, "numbers of hidden layers that learn cos(3x) + cos(5x)")
        ->check(parses(parse_depths))
        ->group(group);
    app.add_option("--width", width, "units of every hidden layer")->check(at_least(1))->group(group);
    app.add_option("--fixed-depth", fixed_depth, "hidden layers of the network that learns cos(kx) or parity")
        ->check(at_least(1))
        ->group(group);
    app.add_option("--activation", activation, "tanh, relu, sigmoid or identity")
        ->check(parses(parse_activation))
        ->group(group);
}

// Some of TrainingFlags, also under names that say what Fig. 1 is about.
void Flags::add_training_to(CLI::App& app) {
    const char* const group = "Training";
    app.add_option("--error,--until-loss", training.until_loss,
                   "the fixed error: mean squared, over all samples")
        ->check(finite_above_zero())
        ->group(group);
    app.add_option("--max-epochs,--epochs", training.epochs, "then a run is given up: it has not converged")
        ->check(at_least(1))
        ->group(group);
    app.add_option("--learning-rate,--lr", training.learning_rate, "of Adam")
        ->check(finite_above_zero())
        ->group(group);
    app.add_option("--batch", training.batch, "samples per step, at most all")
        ->check(at_least(1))
        ->group(group);
    app.add_option("--init", training.initializer, "glorot-normal, glorot-uniform, he, lecun or normal:SIGMA")
        ->check(parses(parse_initializer))
        ->group(group);
    app.add_flag("--paired", paired,
                 "networks of all depths begin with the same weights: of each hidden layer, counted from the "
                 "input, and of the output layer")
        ->group(group);
    app.add_option("--seed", training.seed, "the first seed; parity's only one")
        ->check(at_least(0))
        ->group(group);
    app.add_option("--seeds", seeds, "runs of every setting")->check(CLI::Range(1, 10'000))->group(group);
    app.add_option("--jobs", jobs, "runs side by side, on one core each; 0: as many as cores, on a GPU 1")
        ->check(CLI::Range(0, 1024))
        ->group(group);
}

void Flags::add_to(CLI::App& app) {
    add_function_to(app);
    add_network_to(app);
    add_training_to(app);
    probes.add_to(app);
    run.add_to(app);
    app.remove_option(app.get_option("--data"));  // functions are computed, not loaded
}

FitOptions Flags::fit_options() const {
    Initializer weights = parse_initializer(training.initializer);
    weights.alike = paired;
    return {width,          parse_activation(activation), weights,        training.learning_rate,
            training.batch, training.until_loss,          training.epochs};
}

/// Everything that determines the result of a fit, besides its key.
nlohmann::json Flags::identity() const {
    return {{"device", run.device},
            {"precision", run.precision},
            {"samples", samples},
            {"range", range},
            {"width", width},
            {"fixed-depth", fixed_depth},
            {"activation", activation},
            {"init", training.initializer},
            {"paired", paired},
            {"learning-rate", training.learning_rate},
            {"batch", training.batch},
            {"error", training.until_loss},
            {"max-epochs", training.epochs}};
}

void choose_quick_setting(CLI::App& app, const Flags& flags) {
    default_to(app, "--seeds", "3");
    default_to(app, "--learning-rate", "1e-3");
    default_to(app, "--bits", "6");
    report("--quick: {} seeds at learning rate {:g}, {} bits; the whole is 20 at 0.0001, 10 bits.",
           flags.seeds, flags.training.learning_rate, flags.bits);
}

std::vector<FitTask> make_tasks(const Flags& flags) {
    const Grid grid{flags.samples, -flags.range, flags.range};
    std::vector<FitTask> tasks;
    const auto add = [&](const FitKey& setting, const RegressionSet& function, std::int64_t depth) {
        const auto shared = std::make_shared<const RegressionSet>(function);
        for (std::int64_t i = 0; i < flags.seeds; ++i) {
            tasks.push_back({setting, shared, depth});
            tasks.back().key.seed = flags.training.seed + static_cast<std::uint64_t>(i);
        }
    };
    if (flags.has_panel('a'))
        for (const std::int64_t depth : parse_depths(flags.depths))
            add({'a', static_cast<double>(depth)}, sample_cos3_plus_cos5(grid), depth);
    if (flags.has_panel('b'))
        for (const double k : parse_numbers(flags.k)) add({'b', k}, sample_cos_k(k, grid), flags.fixed_depth);
    return tasks;
}

Workers make_workers(const Flags& flags, const Backend& backend) {
    Workers workers{flags.run.device, parse_precision(flags.run.precision), flags.jobs};
    if (workers.jobs > 0) return workers;
    const bool on_cores = backend.description().starts_with("cpu");
    workers.jobs = on_cores ? std::max(1U, std::thread::hardware_concurrency()) : 1;
    return workers;
}

/// What the folder of an earlier run holds. Throws InputError when its fits were made with other options.
EpochsTable take_up(const std::filesystem::path& folder, const nlohmann::json& identity) {
    const std::filesystem::path path = folder / "manifest.json";
    if (folder.empty() || !std::filesystem::exists(path)) return {};  // killed before it began
    std::ifstream file(path);
    const nlohmann::json manifest = nlohmann::json::parse(file, nullptr, false);
    if (!manifest.is_object() || !manifest.contains("fit"))
        throw InputError("{}: no run of Fig. 1 to go on with: 'fit' is missing", path.string());
    for (const auto& [name, value] : identity.items())
        if (const nlohmann::json was = manifest["fit"].value(name, nlohmann::json()); was != value)
            throw InputError("{}: a run with --{} {}, expected {}", folder.string(), name, was.dump(),
                             value.dump());
    return read_epochs(folder);
}

void write_manifest(const Flags& flags, const Command& command, const Backend& backend,
                    const std::filesystem::path& folder) {
    nlohmann::json manifest = command.manifest();
    add_device(manifest, backend);
    manifest["fit"] = flags.identity();
    write_whole(folder / "manifest.json", manifest_text(std::move(manifest)));
}

/// Warns of options on the command line that only the other kind of function uses.
void warn_of_unused(const CLI::App& app, const Flags& flags) {
    const bool parity = flags.function == "parity";
    const std::vector<const char*> unused =
        parity ? std::vector{"--k", "--depths", "--samples", "--range", "--paired", "--seeds", "--jobs"}
               : std::vector{"--bits",  "--probe-epochs", "--probe-layers", "--probe-samples", "--inv-delta",
                             "--scale", "--exclude-self", "--save-every",   "--no-seconds"};
    for (const char* const option : unused)
        if (app.count(option) > 0)
            warn("warning: {} has no effect with --function {}", option, flags.function);
}

void run_fig1(CLI::App& app, const Flags& flags, const Command& command, const Backend& backend) {
    if (!flags.run.probe_run.empty() || flags.run.keep_checkpoints)
        throw InputError("--probe-run and --keep-checkpoints found, expected with --function parity only");
    const Workers workers = make_workers(flags, backend);
    const std::vector<FitTask> tasks = make_tasks(flags);
    for (const FitTask& task : tasks)
        if (task.key.seed == flags.training.seed)
            check_network_fits(backend, task.hidden_layers, flags.width, workers.jobs);
    // Nobody modifies the earlier run while it is being read.
    std::optional<OwnedFolder> owned;
    if (!flags.run.resume.empty()) owned.emplace(prepare_folder(flags.run.place(), app_name));
    EpochsTable table = take_up(flags.run.resume, flags.identity());
    if (!owned) owned.emplace(prepare_folder(flags.run.place(), app_name));
    const std::filesystem::path& folder = owned->path();
    write_whole(folder / "config.toml", options_as_toml(app));
    if (!std::filesystem::exists(folder / "manifest.json")) write_manifest(flags, command, backend, folder);

    catch_interrupts();
    fit_side_by_side(tasks, flags.fit_options(), workers, table, folder);
    if (interrupted()) report("interrupted: what is done is kept; go on with --resume {}", folder.string());
    if (!flags.run.no_figures && !table.empty()) draw_figures_of(folder, "analysis/fig1.py");
    report("written: {}", folder.string());
}

void run_parity(TrainingApp& training, Flags& flags, Backend& backend) {
    check_network_fits(backend, flags.fixed_depth, flags.width);
    if (std::filesystem::exists(std::filesystem::path(flags.run.resume) / "epochs.csv"))
        throw InputError("{}: a run of Fig. 1, expected one of parity", flags.run.resume);
    const RegressionSet parity = sample_parity(flags.bits);
    flags.training.samples = parity.samples;
    flags.probes.check_within(flags.training.epochs);
    Experiment experiment = training.experiment();
    experiment.plan.identity["function"] = parity.name;
    const std::vector<std::int64_t> hidden(static_cast<std::size_t>(flags.fixed_depth), flags.width);
    const MlpParams params{parity.features, hidden, 1, parse_activation(flags.activation)};
    experiment.networks.push_back({"mlp", [params](std::uint64_t) { return mlp(params); }});
    auto data = std::make_shared<const TrainingData>(backend, parity);
    training.run(experiment, [&](std::uint64_t) { return data; });
}

void run(CLI::App& app, Flags& flags, const Command& command) {
    TrainingApp training(app, flags, command);
    warn_of_unused(app, flags);
    training.settle_options([&] { choose_quick_setting(app, flags); });
    if (flags.training.seed >
        std::numeric_limits<std::uint64_t>::max() - static_cast<std::uint64_t>(flags.seeds))
        throw InputError("--seed is {}, expected so that {} more follow", flags.training.seed, flags.seeds);
    Backend& backend = training.open_device();
    if (flags.function == "parity")
        run_parity(training, flags, backend);
    else
        run_fig1(app, flags, command, backend);
}

}  // namespace

int main(int argc, char** argv) {
    return run_app<Flags>(
        app_name,
        "Counts the epochs until networks have learnt a function to a fixed error: Figure 1 of Xu & "
        "Zhou, AAAI 2021.\n"
        "(a) networks of several depths learn cos(3x) + cos(5x), (b) one network learns cos(kx). "
        "With --function parity,\n"
        "one network learns the parity of all inputs of some bits, and its layers are measured (LFR, "
        "RDF) as it does.",
        argc, argv, run);
}
