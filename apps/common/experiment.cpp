#include "apps/common/experiment.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <optional>

#include "analysis/figures.h"
#include "apps/common/config_file.h"
#include "apps/common/interrupt.h"
#include "apps/common/manifest.h"
#include "apps/common/memory_check.h"
#include "common/error.h"

namespace deepfreq {
namespace {

using KeptCheckpoints = std::map<std::string, std::vector<std::filesystem::path>>;

// Those of each network that --probe-run names; empty when this run trains.
KeptCheckpoints find_kept(const Experiment& experiment) {
    KeptCheckpoints kept;
    const ProbeFlags& probes = experiment.plan.probes;
    if (experiment.plan.run.probe_run.empty()) return kept;
    const std::filesystem::path run = experiment.plan.run.probe_run;
    const auto wanted = [&](std::int64_t epoch) { return probes.epochs == "auto" || probes.is_due(epoch); };
    for (const NetworkPlan& network : experiment.networks)
        kept[network.name] = find_kept_checkpoints(run, network.name, wanted);
    return kept;
}

void write_manifest(const RunFolder& folder, int argc, char** argv, const Experiment& experiment,
                    const Kernels& kernels, const TrainingData& data, const nlohmann::json& networks) {
    nlohmann::json manifest = manifest_of_program(experiment.app, argc, argv);
    add_device(manifest, kernels);
    manifest["seed"] = experiment.plan.training.seed;
    if (networks.size() == 1)
        manifest["network"] = networks.front();
    else
        manifest["networks"] = networks;
    manifest["data"] = {{"name", data.name}, {"source", data.source}, {"md5", data.checksum}};
    manifest.update(experiment.facts);
    folder.write("manifest.json", manifest_text(std::move(manifest)));
}

// The place of the network that a checkpoint is of; those before it are done.
std::size_t place_of(const Checkpoint& checkpoint, const std::vector<NetworkPlan>& networks,
                     const std::filesystem::path& path) {
    const std::string name = checkpoint.header.value("/run/name"_json_pointer, std::string());
    const auto found = std::ranges::find(networks, name, &NetworkPlan::name);
    if (found == networks.end())
        throw InputError("{}: checkpoint of a network '{}', which is none of those asked for", path.string(),
                         name);
    return static_cast<std::size_t>(found - networks.begin());
}

// One line a network, and for the manifest.
nlohmann::json descriptions(const std::vector<NetworkPlan>& networks) {
    nlohmann::json all = nlohmann::json::array();
    for (const NetworkPlan& network : networks) {
        all.push_back(describe(network.layers));
        const std::string name = networks.size() == 1 ? "network" : "network " + network.name;
        spdlog::info("{}: {}", name, all.back().get<std::string>());
    }
    return all;
}

/// The networks still to train: from which on, and what that one goes back to.
struct Start {
    std::size_t place = 0;
    std::optional<Checkpoint> checkpoint;
};

Start find_start(const Experiment& experiment) {
    const std::filesystem::path path = std::filesystem::path(experiment.plan.run.resume) / "checkpoint";
    if (experiment.plan.run.resume.empty() || !std::filesystem::exists(path)) return {};
    Checkpoint checkpoint = read_checkpoint(path);
    const std::size_t place = place_of(checkpoint, experiment.networks, path);
    return {place, std::move(checkpoint)};
}

}  // namespace

void check_experiment(const Experiment& experiment, const Kernels& kernels) {
    const TrainingPlan& plan = experiment.plan;
    plan.training.trainer_options();
    for (const NetworkPlan& network : experiment.networks) {
        check_network_fits(kernels, network.name, network.layers);
        plan.probes.probe_options(static_cast<int>(network.layers.size()), plan.training.samples);
    }
}

void run_experiment(const CLI::App& flags, int argc, char** argv, Experiment experiment,
                    const OpenedKernels& device, const TrainingData& data) {
    Kernels& kernels = *device.kernels;
    const RunFlags run = experiment.plan.run;
    check_experiment(experiment, kernels);
    const nlohmann::json networks = descriptions(experiment.networks);
    const KeptCheckpoints kept = find_kept(experiment);
    // Nobody changes the earlier run while it is read.
    std::optional<OwnedFolder> owned;
    if (!run.resume.empty()) owned.emplace(run.prepare_folder(experiment.app));
    const Start start = find_start(experiment);
    const auto make = [&](std::size_t i) {
        return std::make_unique<TrainingRun>(kernels, std::move(experiment.networks[i]), experiment.plan,
                                             data);
    };
    std::vector<std::string> names;
    for (const NetworkPlan& network : experiment.networks) names.push_back(network.name);

    // Whatever does not fit is found out before anything is written.
    std::unique_ptr<TrainingRun> current = make(start.place);
    if (!owned) owned.emplace(run.prepare_folder(experiment.app));
    RunFolder folder(std::move(*owned));
    current->open(folder);
    if (start.checkpoint)
        current->restore(*start.checkpoint);
    else
        folder.clear();
    // A measurement of kept checkpoints is no training to go on with: its options have another name.
    folder.write(kept.empty() ? "config.toml" : "probe.toml", options_as_toml(flags));
    if (!std::filesystem::exists(folder.path() / "manifest.json"))
        write_manifest(folder, argc, argv, experiment, kernels, data, networks);

    catch_interrupts();
    for (std::size_t i = start.place; i < names.size() && !interrupted(); ++i) {
        if (!current) current = make(i);
        current->open(folder);
        if (names.size() > 1) spdlog::info("training {}", names[i]);
        if (!kept.empty())
            current->measure_kept(kept.at(names[i]));
        else if (!current->train())
            break;
        current.reset();  // its memory is the next one's
    }
    if (!run.no_figures) {
        const std::string failure = draw_figures(source_file("analysis/figures.py"), folder.path());
        if (!failure.empty()) spdlog::warn(failure);
    }
    spdlog::info("written: {}", folder.path().string());
}

void run_experiment(const CLI::App& flags, int argc, char** argv, Experiment experiment,
                    const OpenedKernels& device, const TrainValidation& data) {
    const TrainingData sets(*device.kernels, data, experiment.plan.training.samples);
    run_experiment(flags, argc, argv, std::move(experiment), device, sets);
}

}  // namespace deepfreq
