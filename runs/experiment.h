#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runs/owned_folder.h"
#include "runs/training_run.h"

namespace deepfreq {

/// Where a run is written, and which earlier run it builds on.
struct RunPlace {
    std::filesystem::path out;       ///< a new folder; empty: the next free runs/PROGRAM-NNN
    std::filesystem::path resumed;   ///< continues the run in this folder instead
    std::filesystem::path measured;  ///< trains nothing: measures the kept checkpoints of this run again
};

/// The folder to write to, created unless the run is resumed. Throws InputError when a resumed folder holds
/// no run, a new one already holds one, or another process is using it.
OwnedFolder prepare_folder(const RunPlace& place, const std::string& program);

/// Networks that are trained and measured one after another on one set, into one run folder.
struct Experiment {
    std::string program;
    std::vector<NetworkPlan> networks;  ///< with distinct names
    TrainingPlan plan;
    RunPlace place;
    nlohmann::json facts = nlohmann::json::object();  ///< additional facts for manifest.json
    std::string options;                              ///< config.toml: the options of the run
};

/// Throws InputError for whatever is wrong regardless of the data: networks larger than the free memory,
/// probes of layers that do not exist or of more than the training samples, a schedule that ends early. Call
/// before data are fetched, which may take long.
void check_experiment(const Experiment& experiment, const Backend& backend);

/// The data for one seed, on the device. It may be the same for all seeds.
using DataOfSeed = std::function<std::shared_ptr<const TrainingData>(std::uint64_t seed)>;

/// How a run ended.
struct RunOutcome {
    std::filesystem::path folder;
    bool interrupted = false;  ///< it can be resumed
};

/// A whole run: finds the folder (new, resumed, or measuring kept checkpoints), writes config.toml and
/// manifest.json, trains until done or interrupted, and draws the figures. Several seeds run one after
/// another, each in its own subfolder seed-N of the run folder, whose figures cover all of them.
/// Throws InputError, leaving nothing behind, when networks, data and options do not fit together; RunError
/// when a run fails.
RunOutcome run_experiment(const Experiment& experiment, Backend& backend, const DataOfSeed& data);

}  // namespace deepfreq
