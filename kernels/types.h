#pragma once

#include <cstdint>

namespace deepfreq {

/// Scalar function of a layer, applied element by element.
enum class Activation { Identity, Tanh, Relu, Sigmoid };

/// Whether a backward operation overwrites the gradient it writes or adds to what is there.
enum class GradMode { Overwrite, Accumulate };

/// What the products of matrices are computed in; everything else is float32, sums over samples float64.
enum class Precision {
    Float32,
    TensorFloat32,  ///< factors rounded to 11 bits: the GPU's matrix units, several times faster
    BFloat16,       ///< factors rounded to 8 bits: on a GPU matrix products twice as fast again, convolutions
                    ///< at the speed of TensorFloat32; what is kept stays float32
    Auto,           ///< asked of open_backend(): TensorFloat32 where the device has it, else Float32
};

/// Where a training run stands. It lives in device memory, so that a captured step needs no host argument.
struct StepState {
    std::int64_t sample = 0;     ///< samples of this epoch already taken: where the next batch begins
    std::int64_t step = 0;       ///< steps of this epoch already taken
    std::int64_t update = 0;     ///< parameter updates since initialisation
    std::int64_t restart = 0;    ///< of these, those made before the optimiser's moments last began at 0
    float learning_rate = 0.0F;  ///< of the next update
    float unused = 0.0F;         ///< keeps the struct free of padding: it is written to checkpoints
};

}  // namespace deepfreq
