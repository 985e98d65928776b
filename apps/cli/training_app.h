#pragma once

#include <functional>

#include "apps/cli/command.h"
#include "apps/cli/probe_flags.h"
#include "apps/cli/run_flags.h"
#include "apps/cli/settings.h"
#include "apps/cli/training_flags.h"

namespace deepfreq {

/// The options that every training app has.
struct TrainingAppFlags {
    TrainingFlags training;
    ProbeFlags probes;
    RunFlags run;

    void add_shared_to(CLI::App& app);
};

/// The sequence that all training apps share: options, device, check, data, run.
class TrainingApp {
  public:
    TrainingApp(CLI::App& app, const TrainingAppFlags& flags, const Command& command)
        : app_(app), flags_(flags), command_(command) {}

    /// Sets options that the command line leaves open: from --config, from the run being resumed, then from
    /// `quick` if requested, then from the setting. Reports which setting that is.
    void settle_options(const std::function<void()>& quick, const Settings* settings = nullptr);

    /// Opens the device, and reports which one.
    Backend& open_device();

    /// An experiment set up from the options, without networks yet.
    Experiment experiment() const;

    /// Call before data are fetched. Throws InputError for any mistake that can be found without the data.
    void check(const Experiment& experiment) const { check_experiment(experiment, *device_.backend); }

    /// Runs the experiment, and says how to continue it if it is interrupted.
    void run(const Experiment& experiment, const DataOfSeed& data);
    /// The same on the first samples of a labelled set; the options say how many.
    void run(const Experiment& experiment, const TrainValidation& data);

  private:
    CLI::App& app_;
    const TrainingAppFlags& flags_;
    const Command& command_;
    const Settings* settings_ = nullptr;
    OpenedBackend device_;
};

}  // namespace deepfreq
