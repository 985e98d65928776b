#pragma once

#include <cstdint>
#include <vector>

#include "engine/trainer.h"

namespace deepfreq {

/// How each network of a run is trained. Defaults: the paper's MNIST experiment.
struct TrainingOptions {
    TrainerOptions trainer;  ///< its seeds are those of each run in turn
    Initializer initializer;
    std::int64_t batch = 256;                ///< samples per step, at most all
    std::int64_t samples = 30000;            ///< of the training set, the first so many
    std::int64_t epochs = 2000;              ///< at most
    double until_loss = 1e-2;                ///< training ends when the loss over the set is below; 0: never
    std::vector<std::uint64_t> seeds = {0};  ///< one run per seed, one after the other

    /// Those of the trainer of one run.
    TrainerOptions of_seed(std::uint64_t seed) const {
        TrainerOptions options = trainer;
        options.seed = seed;
        options.augment.seed = seed;
        return options;
    }
};

}  // namespace deepfreq
