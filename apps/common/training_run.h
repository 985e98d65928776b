#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/common/flags.h"
#include "apps/common/progress.h"
#include "apps/common/run_folder.h"
#include "data/dataset.h"

namespace deepfreq {

/// Everything that tells one training from another: what a resumed run must agree on.
struct TrainingPlan {
    std::string network;  ///< its name in the CSV files
    std::vector<std::unique_ptr<Layer>> layers;
    TrainingFlags training;
    ProbeFlags probes;
    RunFlags run;
};

/// One network trained on one set, measured on the way, and all of it written to a run folder so that it can
/// be interrupted at any moment and go on as if it had not been.
class TrainingRun {
  public:
    /// `kernels` must outlive it. Throws InputError when plan and data do not fit.
    TrainingRun(Kernels& kernels, TrainingPlan plan, const TrainValidation& data);

    std::string network_description() const { return network_.description(); }

    /// Takes the folder to write to, which must outlive it, and goes back to its checkpoint where there is
    /// one. Throws InputError, with nothing changed, when that is of another training.
    void open(RunFolder& folder);

    /// Trains until done or interrupted. Throws RunError when the loss diverges; the last checkpoint is from
    /// before.
    void train();

    /// Measures these kept checkpoints of another run; trains nothing. Throws InputError when one is of
    /// another training.
    void measure_kept(const std::vector<std::filesystem::path>& kept);

  private:
    void restore(const Checkpoint& checkpoint);
    void train_epochs();
    void save();
    bool done() const;
    void report_epoch();
    void probe();
    void print_peaks() const;
    nlohmann::json identity() const;
    void check_identity(const Checkpoint& checkpoint, const std::filesystem::path& path) const;

    Kernels& kernels_;
    TrainingPlan plan_;
    std::string data_checksum_;
    DeviceDataset train_set_, validation_set_;
    Network network_;
    Trainer trainer_;
    SpectrumProbe probe_;
    RunFolder* folder_ = nullptr;
    bool resumed_ = false;
    std::unique_ptr<Progress> progress_;
    Evaluation last_;                     // of the training set, at the last finished epoch
    double saved_seconds_ = 0.0;          // when the last checkpoint was written
    std::vector<LayerSpectrum> spectra_;  // of the last probe
};

}  // namespace deepfreq
