#pragma once

#include <cstdint>
#include <vector>

#include "engine/trainer.h"

namespace deepfreq {

/// How each network of a run is trained. Defaults: the paper's MNIST experiment.
struct TrainingOptions {
    TrainerOptions trainer;  ///< its seeds are set for each run in turn
    Initializer initializer;
    std::int64_t batch = 256;                ///< samples per step, at most all
    std::int64_t samples = 30000;            ///< number of training samples, from the first on
    std::int64_t epochs = 2000;              ///< at most
    double until_loss = 1e-2;                ///< training ends once the set's loss is below this; 0: never
    std::vector<std::uint64_t> seeds = {0};  ///< one run per seed, one after the other

    /// The trainer options of one run.
    TrainerOptions of_seed(std::uint64_t seed) const {
        TrainerOptions options = trainer;
        options.seed = seed;
        options.augment.seed = seed;
        return options;
    }
};

}  // namespace deepfreq
