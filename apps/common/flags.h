#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "analysis/spectrum_probe.h"
#include "apps/common/owned_folder.h"
#include "engine/trainer.h"

namespace CLI {
class App;
}

namespace deepfreq {

/// How a network is trained. Defaults: the paper's MNIST experiment.
struct TrainingFlags {
    std::string loss = "mse";
    std::string initializer = "glorot-normal";
    bool alike = false;
    double learning_rate = 1e-5;
    std::string schedule;
    double decay = 0.0;
    double adam_epsilon = 1e-8;
    bool reset_adam = false;
    std::int64_t batch = 256;
    std::int64_t samples = 30000;
    std::int64_t epochs = 2000;
    double until_loss = 1e-2;
    std::uint64_t seed = 0;
    std::string seeds = {};
    bool no_graph = false;
    bool gradient_norms = false;
    AugmentParams augment = {};  ///< for apps whose data are images: its seed is that of the run

    void add_to(CLI::App& app);
    /// Throws InputError for options that contradict each other.
    TrainerOptions trainer_options() const;
    Initializer initial_weights() const;
    /// Those of --seeds, or that of --seed alone. Throws InputError when --seed is given beside a list.
    std::vector<std::uint64_t> all_seeds() const;
};

/// How LFR and RDF of samples are measured.
struct FilterFlags {
    std::string inv_delta = "auto";
    std::string scale = "max-abs";
    bool exclude_self = false;
    std::string authors_grid = "authors-mnist";  ///< what --inv-delta authors means to the app

    void add_to(CLI::App& app, const std::string& group);
    /// Of a measurement that ends when the program is interrupted.
    LowFrequencyParams params() const;
    FilterGridRequest grid() const;
};

/// When and how its hidden layers are measured.
struct ProbeFlags {
    std::string epochs = "auto";
    std::string layers = "hidden";
    std::int64_t samples = 0;
    FilterFlags filter = {};

    void add_to(CLI::App& app);
    /// 0, then 1, 2, 5 times the powers of ten; or those listed. Whether `last` is the run's last epoch
    /// counts where that one is asked for.
    bool is_due(std::int64_t epoch, bool last) const;
    /// Throws InputError when an epoch listed comes after the last.
    void check_within(std::int64_t last_epoch) const;
    /// For a network of `depth` layers. Throws InputError for layers it has not and too many samples.
    ProbeOptions probe_options(int depth, std::int64_t train_samples) const;
};

/// Where it runs, what it reads and what it leaves behind.
struct RunFlags {
    std::string device = "auto";
    std::string precision = "fp32";
    std::string data;
    std::string out;
    std::string resume;
    std::string probe_run;
    std::string config = {};
    double save_every = 10.0;
    bool keep_checkpoints = false;
    bool quick = false;
    bool no_figures = false;
    bool no_seconds = false;

    void add_to(CLI::App& app);
    /// The folder to write to: that of --resume, or a new one, which this makes: of --out, or the next free
    /// runs/APP-NNN. Throws InputError when it does not hold a run, or does so already, or another process
    /// works on it.
    OwnedFolder prepare_folder(const std::string& name) const;
};

/// What --seeds asks for: "3" is `first` and the two that follow, "0,1,5" are those. Throws InputError for a
/// count outside 1 … 1000, seeds below 0 or named twice.
std::vector<std::uint64_t> parse_seeds(const std::string& text, std::uint64_t first);

/// What --augment asks for: none, or flip and either crop (by 4 pixels) or crop:PIXELS, between commas.
/// Throws InputError for anything else.
AugmentParams parse_augmentation(const std::string& text);

/// Gives the options that the command line leaves open the values of the file of --config, then those of the
/// run of --resume or --probe-run. Throws InputError when a file is missing or not understood.
void take_options_of_files(CLI::App& app, const RunFlags& run);

/// Sets an option's value unless the user did.
void default_to(CLI::App& app, const std::string& option, const std::string& value);

}  // namespace deepfreq
