#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/common/training_run.h"

namespace deepfreq {

/// Networks that are trained and measured one after the other on one set, into one run folder.
struct Experiment {
    std::string app;
    std::vector<NetworkPlan> networks;  ///< of different names
    TrainingPlan plan;
    nlohmann::json facts = nlohmann::json::object();  ///< what manifest.json says besides
};

/// Throws InputError for what is wrong whatever the data hold: networks larger than the free memory, probes
/// of layers that they have not or of more than the training samples, a schedule that ends early. An app asks
/// before it fetches the data, which may take long.
void check_experiment(const Experiment& experiment, const Backend& backend);

/// The data of one seed, on the device. It may be the same for all.
using DataOfSeed = std::function<std::shared_ptr<const TrainingData>(std::uint64_t seed)>;

/// The whole way of an app: finds the folder (new, resumed, or measuring kept checkpoints), writes
/// config.toml and manifest.json, trains until done or interrupted, draws the figures. With several seeds,
/// one after the other, each into a folder seed-N of its own within that of the run, whose figures are of all
/// of them. `flags` gives config.toml. Throws InputError, with nothing left behind, when the networks, the
/// data and the flags do not fit; RunError when a run fails.
void run_experiment(const CLI::App& flags, int argc, char** argv, const Experiment& experiment,
                    const OpenedBackend& device, const DataOfSeed& data);

/// The same, trained on the first samples of a labelled set, as many as the plan says.
void run_experiment(const CLI::App& flags, int argc, char** argv, const Experiment& experiment,
                    const OpenedBackend& device, const TrainValidation& data);

}  // namespace deepfreq
