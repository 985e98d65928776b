#pragma once

#include <functional>

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

/// The path that all training apps share: options, device, check, data, run.
class TrainingApp {
  public:
    TrainingApp(CLI::App& app, const TrainingAppFlags& flags, int argc, char** argv)
        : app_(app), flags_(flags), argc_(argc), argv_(argv) {}

    /// Options that the command line leaves open get the values of --config, of the run that is gone on with,
    /// then of `quick` if it is asked for, then of the setting; tells which that is.
    void settle_options(const std::function<void()>& quick, const Settings* settings = nullptr);

    /// Opens the device, and tells which.
    Backend& open_device();

    /// An experiment without networks yet, by the options.
    Experiment experiment() const;

    /// To be asked before data are fetched; throws InputError for what is wrong whatever the data hold.
    void check(const Experiment& experiment) const { check_experiment(experiment, *device_.backend); }

    /// Runs it, and says how an interrupted run is gone on with.
    void run(const Experiment& experiment, const DataOfSeed& data);
    /// The same on the first samples of a labelled set, as many as the options say.
    void run(const Experiment& experiment, const TrainValidation& data);

  private:
    CLI::App& app_;
    const TrainingAppFlags& flags_;
    int argc_;
    char** argv_;
    const Settings* settings_ = nullptr;
    OpenedBackend device_;
};

}  // namespace deepfreq
