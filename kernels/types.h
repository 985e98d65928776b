#pragma once

#include <cstdint>

namespace deepfreq {

/// Scalar function of a layer, applied element by element.
enum class Activation { Identity, Tanh, Relu, Sigmoid };

/// Whether a backward operation overwrites the gradient or adds to it.
enum class GradMode { Overwrite, Accumulate };

/// The precision of matrix products; everything else is float32, sums over samples float64.
enum class Precision {
    Float32,
    TensorFloat32,  ///< factors rounded to 11 bits: the GPU's matrix units, several times faster
    BFloat16,       ///< factors rounded to 8 bits: on a GPU, matrix products are twice as fast again and
                    ///< convolutions as fast as with TensorFloat32; what is stored stays float32
    Auto,           ///< for open_backend() only: TensorFloat32 if the device has it, else Float32
};

/// The position of a training run. It lives in device memory, so that a captured step needs no host argument.
struct StepState {
    std::int64_t sample = 0;     ///< samples of this epoch already used: where the next batch begins
    std::int64_t step = 0;       ///< steps of this epoch already taken
    std::int64_t update = 0;     ///< parameter updates since initialisation
    std::int64_t restart = 0;    ///< those of them made before the optimiser's moments were last reset to 0
    float learning_rate = 0.0F;  ///< of the next update
    float unused = 0.0F;         ///< keeps the struct free of padding: it is written to checkpoints
};

}  // namespace deepfreq
