#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "analysis/figures.h"
#include "data/dataset.h"
#include "runs/probe_plan.h"
#include "runs/progress.h"
#include "runs/run_folder.h"
#include "runs/training_options.h"

namespace deepfreq {

/// A network, with its name in the CSV files.
struct NetworkPlan {
    std::string name;
    /// Creates its layers; the seed determines what they draw at random during training.
    std::function<std::vector<std::unique_ptr<Layer>>(std::uint64_t seed)> layers;
};

/// What a run records.
struct RecordOptions {
    double save_every = 10.0;       ///< seconds between checkpoints; 0: after every epoch
    bool keep_checkpoints = false;  ///< keep the network of every measured epoch
    bool figures = true;
    bool seconds = true;  ///< false: no wall-clock times, so that two equal runs leave identical bytes
};

/// How each network of a run is trained and measured.
struct TrainingPlan {
    TrainingOptions training;
    ProbePlan probes;
    RecordOptions record;
    /// What a resumed run must agree on, besides network, data and seed: names and values.
    nlohmann::json identity = nlohmann::json::object();
    /// The folder whose figures are drawn during training: that of the run, or that of several runs together.
    std::filesystem::path figures = {};
};

/// The sets on the device, for all networks of a run.
struct TrainingData {
    /// The first `samples` to train on. Throws InputError when there are fewer.
    TrainingData(Backend& backend, const TrainValidation& data, std::int64_t samples);
    /// All samples of a function; nothing to validate with, and no checksum.
    TrainingData(Backend& backend, const RegressionSet& data);

    DeviceDataset train;
    std::optional<DeviceDataset> validation;
    std::string name, source, checksum;
    nlohmann::json facts = nlohmann::json::object();  ///< additional facts for the manifest
};

/// Trains one network on one set, measures it along the way, and writes everything to a run folder, so that
/// the run can be interrupted at any time and continue as if it had not been.
class TrainingRun {
  public:
    /// `backend`, `plan` and `data` must outlive it. Throws InputError when they do not fit together.
    TrainingRun(Backend& backend, const NetworkPlan& network, const TrainingPlan& plan, std::uint64_t seed,
                const TrainingData& data);

    std::string network_description() const { return network_.description(); }

    /// Sets the folder to write to, which must outlive this object.
    void open(RunFolder& folder);

    /// Goes back to the checkpoint of the opened folder. Throws InputError, with nothing changed, if it
    /// belongs to a different training run.
    void restore(const Checkpoint& checkpoint);

    /// Trains until done or interrupted; returns whether it is done. Throws RunError when the loss diverges;
    /// the last checkpoint is from before that.
    bool train();

    /// Measures these kept checkpoints of another run; trains nothing. Throws InputError if one belongs to a
    /// different training run.
    void measure_kept(const std::vector<std::filesystem::path>& kept);

  private:
    void train_epochs();
    void save();
    bool done() const;
    void report_epoch();
    void report_gradients();
    void probe();
    void print_peaks() const;
    nlohmann::json identity() const;
    void check_identity(const Checkpoint& checkpoint, const std::filesystem::path& path) const;

    std::string name_;
    const TrainingPlan& plan_;
    std::uint64_t seed_;
    const TrainingData& data_;
    Network network_;
    Trainer trainer_;
    SpectrumProbe probe_;
    RunFolder* folder_ = nullptr;
    bool resumed_ = false;
    bool probe_due_ = false;  // a probe is due at the last finished epoch and not done yet
    std::unique_ptr<Progress> progress_;
    Evaluation last_;                     // of the training set, at the last finished epoch
    double saved_seconds_ = 0.0;          // when the last checkpoint was written
    std::vector<LayerSpectrum> spectra_;  // of the last probe
    FigureDrawing figures_;
};

}  // namespace deepfreq
