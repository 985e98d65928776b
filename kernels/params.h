#pragma once

#include <cstdint>

namespace deepfreq {

/// Scalar function of a layer, applied element by element.
enum class Activation { Identity, Tanh, Relu, Sigmoid };

/// Whether a backward operation overwrites the gradient it writes or adds to what is there.
enum class GradMode { Overwrite, Accumulate };

/// Adam (Kingma & Ba 2015); the learning rate is in StepState.
struct AdamParams {
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
};

/// Where a training run stands. It lives in device memory, so that a recorded step needs no host argument.
struct StepState {
    std::int64_t sample = 0;     ///< samples of this epoch already taken: where the next batch begins
    std::int64_t step = 0;       ///< steps of this epoch already taken
    std::int64_t update = 0;     ///< parameter updates since initialisation
    float learning_rate = 0.0F;  ///< of the next update
    float unused = 0.0F;         ///< keeps the struct free of padding: it is written to checkpoints
};

/// Choices of Kernels::gaussian_low_frequency_energy.
struct LowFrequencyParams {
    bool exclude_self = false;  ///< leave i = j out of both sums of eq. 4
};

}  // namespace deepfreq
