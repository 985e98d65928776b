#include "apps/cli/training_app.h"

#include "apps/cli/config_file.h"
#include "runs/report.h"

namespace deepfreq {

void TrainingAppFlags::add_shared_to(CLI::App& app) {
    training.add_to(app);
    probes.add_to(app);
    run.add_to(app);
}

void TrainingApp::settle_options(const std::function<void()>& quick, const Settings* settings) {
    take_options_of_files(app_, flags_.run);
    if (flags_.run.quick) quick();
    settings_ = settings;
    if (settings_ == nullptr) return;
    settings_->apply(app_);
    report("setting: {}", settings_->description(app_));
}

Backend& TrainingApp::open_device() {
    device_ = flags_.run.open_device();
    return *device_.backend;
}

Experiment TrainingApp::experiment() const {
    Experiment experiment;
    experiment.program = command_.program;
    experiment.plan.training = flags_.training.options();
    experiment.plan.probes = flags_.probes.plan();
    experiment.plan.record = flags_.run.record();
    experiment.plan.identity = flags_.training.identity();
    experiment.place = flags_.run.place();
    experiment.facts = command_.facts();
    experiment.options = options_as_toml(app_);
    if (settings_ != nullptr) experiment.facts["setting"] = settings_->facts(app_);
    return experiment;
}

void TrainingApp::run(const Experiment& experiment, const DataOfSeed& data) {
    const RunOutcome outcome = run_experiment(experiment, *device_.backend, data);
    if (outcome.interrupted) report("go on with --resume {}", outcome.folder.string());
}

void TrainingApp::run(const Experiment& experiment, const TrainValidation& data) {
    auto sets =
        std::make_shared<const TrainingData>(*device_.backend, data, experiment.plan.training.samples);
    run(experiment, [&](std::uint64_t) { return sets; });
}

}  // namespace deepfreq
