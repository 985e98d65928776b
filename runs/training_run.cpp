#include "runs/training_run.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "analysis/spectrum_rows.h"
#include "common/error.h"
#include "engine/checkpoint.h"
#include "runs/interrupt.h"
#include "runs/manifest.h"
#include "runs/report.h"

namespace deepfreq {

TrainingData::TrainingData(Backend& backend, const TrainValidation& data, std::int64_t samples)
    : train(backend, data.train.first(samples)),
      validation(std::in_place, backend, data.validation),
      name(data.train.name),
      source(data.source),
      checksum(data.train.checksum) {}

TrainingData::TrainingData(Backend& backend, const RegressionSet& data)
    : train(backend, data), name(data.name), source("computed") {}

TrainingRun::TrainingRun(Backend& backend, const NetworkPlan& network, const TrainingPlan& plan,
                         std::uint64_t seed, const TrainingData& data)
    : name_(network.name),
      plan_(plan),
      seed_(seed),
      data_(data),
      network_(backend, network.layers(seed), std::min(plan.training.batch, data.train.samples())),
      trainer_(backend, network_, data.train, plan.training.of_seed(seed)),
      probe_(backend, network_, data.train, plan.probes.options(network_.depth(), data.train.samples())) {
    network_.initialize(plan_.training.initializer, seed_);
}

nlohmann::json TrainingRun::identity() const {
    nlohmann::json all = {{"network", network_.description()}, {"data", data_.checksum}, {"seed", seed_}};
    all.update(plan_.identity);
    return all;
}

void TrainingRun::check_identity(const Checkpoint& checkpoint, const std::filesystem::path& path) const {
    if (!checkpoint.header.contains("run"))
        throw InputError("{}: checkpoint without 'run' in its header, expected there", path.string());
    const nlohmann::json& found = checkpoint.header.at("run").at("identity");
    const nlohmann::json expected = identity();
    for (const auto& [name, value] : expected.items())
        if (const nlohmann::json was = found.value(name, nlohmann::json()); was != value)
            throw InputError("{}: checkpoint of a run with {} {}, expected {}", path.string(), name,
                             was.dump(), value.dump());
}

void TrainingRun::open(RunFolder& folder) {
    folder_ = &folder;
    progress_ = std::make_unique<Progress>(plan_.training.epochs, plan_.training.until_loss,
                                           data_.train.samples(), saved_seconds_);
}

void TrainingRun::restore(const Checkpoint& checkpoint) {
    check_identity(checkpoint, folder_->checkpoint());
    const nlohmann::json& run = checkpoint.header.at("run");
    if (run.contains("csv_sizes"))
        throw InputError("{}: checkpoint of an older deepfreq, which this one cannot go on from",
                         folder_->checkpoint().string());
    if (!run.contains("csv"))
        throw InputError("{}: a kept checkpoint, expected one that a run goes on from",
                         folder_->checkpoint().string());
    trainer_.restore(checkpoint, folder_->checkpoint());
    folder_->cut_back(run.at("csv"));
    const nlohmann::json& accuracy = run.at("train_accuracy");  // null: from a set without labels
    last_ = {run.at("train_loss"), accuracy.is_null() ? std::nan("") : accuracy.get<double>()};
    saved_seconds_ = run.at("seconds");
    probe_due_ = run.value("probe_due", false);
    resumed_ = true;
    open(*folder_);  // the clock continues from there
    report("resumed at epoch {}, step {} from {}", trainer_.epoch(), trainer_.step(),
           folder_->checkpoint().string());
}

void TrainingRun::save() {
    Checkpoint checkpoint = trainer_.save();
    saved_seconds_ = progress_->seconds();
    // With the seconds left out, nothing that differs between two identical runs is stored.
    const double seconds = plan_.record.seconds ? saved_seconds_ : 0.0;
    checkpoint.header["run"] = {{"name", name_},
                                {"probe_due", probe_due_},
                                {"identity", identity()},
                                {"csv", folder_->settle()},
                                {"train_loss", last_.loss},
                                {"train_accuracy", last_.accuracy},
                                {"seconds", seconds}};
    write_checkpoint(folder_->checkpoint(), checkpoint);
}

bool TrainingRun::done() const {
    if (trainer_.step() > 0 || probe_due_) return false;
    return trainer_.epoch() >= plan_.training.epochs ||
           (trainer_.epoch() > 0 && last_.loss < plan_.training.until_loss);
}

// Measures the network at the end of an epoch (or before the first) and writes its row.
void TrainingRun::report_epoch() {
    last_ = trainer_.evaluate(data_.train);
    if (!std::isfinite(last_.loss))
        throw DivergedError(
            "the loss over the training set became {} after epoch {}: a smaller learning rate may help",
            last_.loss, trainer_.epoch());
    const double validation_accuracy =
        data_.validation ? trainer_.evaluate(*data_.validation).accuracy : std::nan("");
    const std::string seconds = plan_.record.seconds ? fmt::format("{:.3f}", progress_->seconds()) : "";
    folder_->metrics().row(fmt::format("{},{},{:.9g},{:.9g},{:.9g},{}", name_, trainer_.epoch(), last_.loss,
                                       last_.accuracy, validation_accuracy, seconds));
    progress_->epoch(trainer_.epoch(), last_.loss, last_.accuracy, validation_accuracy);
}

void TrainingRun::report_gradients() {
    const std::vector<double>& norms = trainer_.gradient_norms();
    for (std::size_t l = 0; l < norms.size(); ++l)
        folder_->gradients().row(fmt::format("{},{},{},{:.9g}", name_, trainer_.epoch(), l + 1, norms[l]));
}

void TrainingRun::probe() {
    const std::int64_t epoch = trainer_.epoch();
    progress_->note(
        fmt::format("epoch {}: measuring LFR and RDF of {} layers", epoch, plan_.probes.layers.text()));
    spectra_ = probe_.measure(warn_line);
    for (const LayerSpectrum& s : spectra_) {
        const SpectrumRows rows = rows_of(s, name_, s.set.name, std::to_string(epoch));
        for (const std::string& row : rows.lfr) folder_->lfr().row(row);
        for (const std::string& row : rows.rdf) folder_->rdf().row(row);
        folder_->peaks().row(rows.peak);
    }
    if (!spectra_.empty()) print_peaks();
    if (plan_.record.figures) figures_.begin(source_file("analysis/figures.py"), plan_.figures);
    if (plan_.record.keep_checkpoints) {
        std::filesystem::create_directories(folder_->kept_checkpoint(name_, epoch).parent_path());
        Checkpoint kept = trainer_.save();
        kept.header["run"]["identity"] = identity();
        write_checkpoint(folder_->kept_checkpoint(name_, epoch), kept);
    }
    probe_due_ = false;
}

void TrainingRun::print_peaks() const {
    std::string line = fmt::format("epoch {}: RDF peaks at 1/delta =", trainer_.epoch());
    for (const LayerSpectrum& s : spectra_)
        line += fmt::format(" {:.4g} (layer {})", s.peak.inv_delta, s.set.name);
    const bool comparable =
        std::ranges::none_of(spectra_, [](const LayerSpectrum& s) { return s.set.target.has_value(); });
    std::vector<double> peaks;  // of the layers; the input does not count
    for (const LayerSpectrum& s : spectra_)
        if (s.set.layer > 0) peaks.push_back(s.peak.inv_delta);
    // Strictly, from each layer to the next; a NaN peak breaks any order.
    const auto ordered = [&peaks, comparable](auto before) {
        const auto breaks = [&](double a, double b) { return !before(a, b); };
        return comparable && peaks.size() > 1 && std::ranges::adjacent_find(peaks, breaks) == peaks.end();
    };
    if (ordered(std::less{})) line += ": rises with depth";
    if (ordered(std::greater{})) line += ": falls with depth";
    progress_->line(line);
}

bool TrainingRun::train() {
    if (!resumed_) {
        report_epoch();
        probe_due_ = plan_.probes.epochs.is_due(0, plan_.training.epochs == 0);
        save();
    }
    try {
        if (probe_due_) probe(), save();
        train_epochs();
    } catch (const Interrupted&) {
        probe_due_ = true;  // nothing of it is written: it is measured when the run is resumed
    } catch (const RunError& error) {
        progress_->finish();
        throw RunError("{}; the last good state is in {}", error.what(), folder_->checkpoint().string());
    }
    progress_->finish();
    if (done()) return true;
    save();
    report("interrupted at epoch {}, step {}: saved", trainer_.epoch(), trainer_.step());
    return false;
}

void TrainingRun::train_epochs() {
    while (!done() && !interrupted()) {
        const bool whole = trainer_.step() == 0;
        const double began = progress_->seconds();
        const bool finished = trainer_.finish_epoch([&] {
            progress_->step(trainer_.epoch() + 1, trainer_.step(), trainer_.steps_per_epoch());
            return !interrupted();
        });
        if (!finished) return;
        if (whole) progress_->trained(progress_->seconds() - began);
        report_epoch();
        report_gradients();
        const bool due = plan_.probes.epochs.is_due(trainer_.epoch(), done());
        probe_due_ = due;
        if (due) probe();
        if (due || done() || progress_->seconds() - saved_seconds_ >= plan_.record.save_every) save();
    }
}

void TrainingRun::measure_kept(const std::vector<std::filesystem::path>& kept) {
    std::size_t measured = 0;
    try {
        for (; measured < kept.size(); ++measured) {
            if (interrupted()) throw Interrupted();
            const Checkpoint checkpoint = read_checkpoint(kept[measured]);
            check_identity(checkpoint, kept[measured]);
            trainer_.restore(checkpoint, kept[measured]);
            report_epoch();
            probe();
        }
    } catch (const Interrupted&) {  // nothing is written of the measurement in progress
        progress_->line(
            fmt::format("interrupted: {} of {} kept checkpoints measured", measured, kept.size()));
    }
    progress_->finish();
    folder_->settle();
}

}  // namespace deepfreq
