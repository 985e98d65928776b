#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "runs/training_options.h"

namespace CLI {
class App;
}

namespace deepfreq {

/// The options of TrainingOptions.
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

    void add_to(CLI::App& app);
    /// Throws InputError for options that contradict each other.
    TrainingOptions options() const;
    /// What a resumed run must match (TrainingPlan::identity).
    nlohmann::json identity() const;
};

/// Parses --seeds: "3" means `first` and the two seeds that follow, "0,1,5" means exactly those. Throws
/// InputError for a count outside 1 … 1000, and for seeds that are negative or listed twice.
std::vector<std::uint64_t> parse_seeds(const std::string& text, std::uint64_t first);

/// Parses --augment: none, or a comma-separated list of flip and either crop (by 4 pixels) or crop:PIXELS.
/// Throws InputError for anything else.
AugmentParams parse_augmentation(const std::string& text);

}  // namespace deepfreq
