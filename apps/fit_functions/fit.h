#pragma once

#include <cstdint>
#include <optional>

#include "data/functions.h"
#include "engine/initializer.h"
#include "kernels/backend.h"

namespace deepfreq {

/// What all fits of a figure share.
struct FitOptions {
    std::int64_t width = 64;  ///< of every hidden layer
    Activation activation = Activation::Tanh;
    Initializer initializer;
    double learning_rate = 1e-4;
    std::int64_t batch = 1024;  ///< at most the number of samples
    double error = 1e-2;
    std::int64_t max_epochs = 100'000;
};

struct FitResult {
    std::int64_t epochs = 0;  ///< until the error was reached, or until it was given up
    bool converged = false;
    double error = 0.0;  ///< at that point: mean squared, over all samples; NaN when the training diverged
};

/// Trains a network with this many hidden layers from a seed until its mean squared error over all samples,
/// checked after every epoch, is below options.error. Returns nothing when interrupted.
std::optional<FitResult> fit(Backend& backend, const RegressionSet& function, std::int64_t hidden_layers,
                             std::uint64_t seed, const FitOptions& options);

}  // namespace deepfreq
