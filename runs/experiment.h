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

/// Where a run is written, and what it goes on with.
struct RunPlace {
    std::filesystem::path out;       ///< a new folder; empty: the next free runs/PROGRAM-NNN
    std::filesystem::path resumed;   ///< goes on with the run in this folder instead
    std::filesystem::path measured;  ///< trains nothing: measures the checkpoints kept in this run again
};

/// The folder to write to, which this makes unless the run is resumed. Throws InputError when it does not
/// hold a run, or does so already, or another process works on it.
OwnedFolder prepare_folder(const RunPlace& place, const std::string& program);

/// Networks that are trained and measured one after the other on one set, into one run folder.
struct Experiment {
    std::string program;
    std::vector<NetworkPlan> networks;  ///< of different names
    TrainingPlan plan;
    RunPlace place;
    nlohmann::json facts = nlohmann::json::object();  ///< what manifest.json says besides
    std::string options;                              ///< config.toml: what the run was asked for
};

/// Throws InputError for what is wrong whatever the data hold: networks larger than the free memory, probes
/// of layers that they have not or of more than the training samples, a schedule that ends early. To be asked
/// before data are fetched, which may take long.
void check_experiment(const Experiment& experiment, const Backend& backend);

/// The data of one seed, on the device. It may be the same for all.
using DataOfSeed = std::function<std::shared_ptr<const TrainingData>(std::uint64_t seed)>;

/// How a run ended.
struct RunOutcome {
    std::filesystem::path folder;
    bool interrupted = false;  ///< it can be resumed
};

/// A whole run: finds the folder (new, resumed, or measuring kept checkpoints), writes config.toml and
/// manifest.json, trains until done or interrupted, draws the figures. With several seeds, one after the
/// other, each into a folder seed-N of its own within that of the run, whose figures are of all of them.
/// Throws InputError, with nothing left behind, when networks, data and options do not fit; RunError when a
/// run fails.
RunOutcome run_experiment(const Experiment& experiment, Backend& backend, const DataOfSeed& data);

}  // namespace deepfreq
