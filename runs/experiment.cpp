#include "runs/experiment.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>

#include "common/atomic_file.h"
#include "common/error.h"
#include "engine/checkpoint.h"
#include "runs/drawing.h"
#include "runs/interrupt.h"
#include "runs/manifest.h"
#include "runs/memory_check.h"
#include "runs/report.h"

namespace deepfreq {
namespace {

using KeptCheckpoints = std::map<std::string, std::vector<std::filesystem::path>>;

nlohmann::json manifest_of(const Experiment& experiment, const Backend& backend, const TrainingData& data) {
    nlohmann::json manifest = manifest_of_program(experiment.program);
    add_device(manifest, backend);
    nlohmann::json networks = nlohmann::json::array();
    for (const NetworkPlan& network : experiment.networks) networks.push_back(describe(network.layers(0)));
    if (networks.size() == 1)
        manifest["network"] = networks.front();
    else
        manifest["networks"] = networks;
    manifest["data"] = {{"name", data.name}, {"source", data.source}, {"md5", data.checksum}};
    manifest.update(experiment.facts, true);
    return manifest;
}

// One line per network.
void print_descriptions(const std::vector<NetworkPlan>& networks) {
    for (const NetworkPlan& network : networks)
        report("{}: {}", networks.size() == 1 ? "network" : "network " + network.name,
               describe(network.layers(0)));
}

/// The folder of one seed within that of a run; the run's folder itself where there is only one seed.
std::filesystem::path folder_of(const std::filesystem::path& run, std::uint64_t seed,
                                const std::vector<std::uint64_t>& all) {
    return all.size() == 1 || run.empty() ? run : run / fmt::format("seed-{}", seed);
}

/// An experiment with one seed: its networks, one after the other.
class SeedRun {
  public:
    /// Detects any mismatch before anything is written. Continues from the checkpoint in `resumed`, or
    /// measures those kept in `measured`; both may be empty.
    SeedRun(Backend& backend, const Experiment& experiment, std::uint64_t seed, const DataOfSeed& data,
            const std::filesystem::path& resumed, const std::filesystem::path& measured)
        : backend_(backend), experiment_(experiment), plan_(experiment.plan), seed_(seed) {
        find_kept(measured);
        find_start(resumed);
        data_ = data(seed);
        make(place_);
    }

    const TrainingData& data() const { return *data_; }

    /// Takes the folder to write to, which must outlive this object; throws InputError, with nothing changed,
    /// when it would continue another run.
    void open(RunFolder& folder) {
        folder_ = &folder;
        current_->open(folder);
        if (checkpoint_)
            current_->restore(*checkpoint_);
        else
            folder.clear();
    }

    /// Runs to the end, or until interrupted; returns whether it finished. The figures
    /// are those of `figures`.
    bool run(const std::filesystem::path& figures, const nlohmann::json& manifest) {
        plan_.figures = figures;
        if (!std::filesystem::exists(folder_->path() / "manifest.json"))
            folder_->write("manifest.json", manifest_text(manifest));
        for (std::size_t i = place_; i < experiment_.networks.size(); ++i) {
            if (interrupted()) return false;
            if (!current_) make(i);
            current_->open(*folder_);
            const std::string& name = experiment_.networks[i].name;
            if (experiment_.networks.size() > 1) report("training {}", name);
            if (!kept_.empty())
                current_->measure_kept(kept_.at(name));
            else if (!current_->train())
                return false;
            current_.reset();  // frees its memory for the next one
        }
        return true;
    }

  private:
    void make(std::size_t i) {
        current_ = std::make_unique<TrainingRun>(backend_, experiment_.networks[i], plan_, seed_, *data_);
    }

    void find_kept(const std::filesystem::path& run) {
        if (run.empty()) return;
        // Each of these epochs may have been the last of its run.
        const auto wanted = [&](std::int64_t epoch) { return plan_.probes.epochs.is_due(epoch, true); };
        for (const NetworkPlan& network : experiment_.networks)
            kept_[network.name] = find_kept_checkpoints(run, network.name, wanted);
    }

    // The networks before the one in the checkpoint are finished.
    void find_start(const std::filesystem::path& run) {
        const std::filesystem::path path = run / "checkpoint";
        if (run.empty() || !std::filesystem::exists(path)) return;
        checkpoint_ = read_checkpoint(path);
        const std::string name = checkpoint_->header.value("/run/name"_json_pointer, std::string());
        const auto found = std::ranges::find(experiment_.networks, name, &NetworkPlan::name);
        if (found == experiment_.networks.end())
            throw InputError("{}: checkpoint of a network '{}', which is none of those asked for",
                             path.string(), name);
        place_ = static_cast<std::size_t>(found - experiment_.networks.begin());
    }

    Backend& backend_;
    const Experiment& experiment_;
    TrainingPlan plan_;
    std::uint64_t seed_;
    RunFolder* folder_ = nullptr;
    KeptCheckpoints kept_;  // of each network; empty when this run trains
    std::optional<Checkpoint> checkpoint_;
    std::size_t place_ = 0;  // index of the first network to run
    std::shared_ptr<const TrainingData> data_;
    std::unique_ptr<TrainingRun> current_;
};

/// The folder of a seed, created if it does not exist.
OwnedFolder own(const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    return OwnedFolder(folder);
}

}  // namespace

OwnedFolder prepare_folder(const RunPlace& place, const std::string& program) {
    if (!place.resumed.empty()) return earlier_run_folder(place.resumed);
    return place.out.empty() ? OwnedFolder::next(std::filesystem::path("runs") / program)
                             : new_run_folder(place.out);
}

void check_experiment(const Experiment& experiment, const Backend& backend) {
    const TrainingPlan& plan = experiment.plan;
    plan.training.trainer.learning_rate.check_covers(plan.training.epochs);
    for (const NetworkPlan& network : experiment.networks) {
        const auto layers = network.layers(0);
        check_network_fits(backend, network.name, layers);
        plan.probes.options(static_cast<int>(layers.size()), plan.training.samples);
    }
}

RunOutcome run_experiment(const Experiment& experiment, Backend& backend, const DataOfSeed& data) {
    const RunPlace& place = experiment.place;
    check_experiment(experiment, backend);
    print_descriptions(experiment.networks);
    const std::vector<std::uint64_t>& seeds = experiment.plan.training.seeds;
    const auto prepared = [&](std::uint64_t seed) {
        return std::make_unique<SeedRun>(backend, experiment, seed, data,
                                         folder_of(place.resumed, seed, seeds),
                                         folder_of(place.measured, seed, seeds));
    };
    // Nobody modifies the earlier run while it is being read.
    std::optional<OwnedFolder> owned;
    if (!place.resumed.empty()) owned.emplace(prepare_folder(place, experiment.program));
    std::unique_ptr<SeedRun> current = prepared(seeds.front());
    if (!owned) owned.emplace(prepare_folder(place, experiment.program));
    const std::filesystem::path folder = owned->path();
    std::optional<RunFolder> working;
    const auto open = [&](std::uint64_t seed) {
        RunFolder& opened =
            working.emplace(seeds.size() > 1 ? own(folder_of(folder, seed, seeds)) : std::move(*owned));
        current->open(opened);
    };
    open(seeds.front());
    // Measuring kept checkpoints is not a training run that can be resumed: its options go into another file.
    write_whole(folder / (place.measured.empty() ? "config.toml" : "probe.toml"), experiment.options);
    nlohmann::json manifest = manifest_of(experiment, backend, current->data());
    if (seeds.size() > 1 && !std::filesystem::exists(folder / "manifest.json")) {
        manifest["seeds"] = seeds;
        write_whole(folder / "manifest.json", manifest_text(manifest));
        manifest.erase("seeds");
    }

    catch_interrupts();
    bool done = true;
    for (const std::uint64_t seed : seeds) {
        done = done && !interrupted();
        if (!done) break;
        if (!current) {
            current = prepared(seed);
            open(seed);
        }
        if (seeds.size() > 1) report("seed {}", seed);
        manifest["seed"] = seed;
        manifest.update(current->data().facts);
        done = current->run(folder, manifest);
        current.reset();
    }
    if (experiment.plan.record.figures) draw_figures_of(folder, "analysis/figures.py");
    report("written: {}", folder.string());
    return {folder, !done && place.measured.empty()};
}

}  // namespace deepfreq
