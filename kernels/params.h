#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "common/host_device.h"

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
    Auto,           ///< asked of open_kernels(): TensorFloat32 where the device has it, else Float32
};

/// How filters go over an image: the same in both directions.
struct Conv2dParams {
    std::int64_t stride = 1;
    std::int64_t padding = 0;  ///< rows and columns of zeros around the image
};

/// The windows that tile an image: their extents are their stride too.
struct PoolParams {
    std::int64_t height = 2;
    std::int64_t width = 2;
};

/// Batch normalisation (Ioffe & Szegedy 2015).
struct BatchNormParams {
    double epsilon = 1e-5;  ///< added to the variance
    double momentum = 0.1;  ///< share of the batch in the running statistics
};

/// Dropout (Srivastava et al. 2014): what is dropped becomes 0, what stays is divided by the share that does.
struct DropoutParams {
    double rate = 0.5;  ///< probability of being dropped, in [0, 1); rounded to 1/65536
    std::uint64_t seed = 0;
    std::uint32_t stream = 0;  ///< tells the layers of a network apart
};

/// Adam (Kingma & Ba 2015); the learning rate is in StepState.
struct AdamParams {
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
};

/// How the images of a batch are changed at random while a network learns them.
struct AugmentParams {
    bool flip = false;       ///< mirror every second one, on average, left to right
    std::int64_t crop = 0;   ///< move each by up to so many pixels in either direction
    std::uint64_t seed = 0;  ///< of which and how far

    bool any() const { return flip || crop > 0; }
};

/// Where a training run stands. It lives in device memory, so that a recorded step needs no host argument.
struct StepState {
    std::int64_t sample = 0;     ///< samples of this epoch already taken: where the next batch begins
    std::int64_t step = 0;       ///< steps of this epoch already taken
    std::int64_t update = 0;     ///< parameter updates since initialisation
    std::int64_t restart = 0;    ///< of these, those made before the optimiser's moments last began at 0
    float learning_rate = 0.0F;  ///< of the next update
    float unused = 0.0F;         ///< keeps the struct free of padding: it is written to checkpoints
};

/// Where the sums over pairs are made: at the filter widths asked for, or at a few nodes from which those at
/// all widths follow (kernels/filter_nodes.h). Auto: at nodes where that is cheaper.
enum class FilterSums { Auto, AtNodes, AtWidths };

/// Features scaled by column without a copy of them: column k is measured as (x - offset[k]) factor[k],
/// computed in double and rounded to float32. Both empty: as it is.
struct ColumnScale {
    std::span<const double> offset, factor;

    bool given() const { return !factor.empty(); }
    float scaled(std::size_t k, float x) const {
        return static_cast<float>((static_cast<double>(x) - offset[k]) * factor[k]);
    }
    /// Scales one row of the features into `to`.
    void apply(const float* row, float* to) const {
        for (std::size_t k = 0; k < factor.size(); ++k) to[k] = scaled(k, row[k]);
    }
};

/// Choices of MeasuringKernels::gaussian_low_frequency_energy.
struct LowFrequencyParams {
    bool exclude_self = false;  ///< leave i = j out of both sums of eq. 4
    FilterSums sums = FilterSums::Auto;
    ColumnScale scale = {};
    /// Asked many times a second, from any thread: true ends the measurement, which throws Interrupted.
    std::function<bool()> stop = {};
    /// Told now and then, by the thread that called, which share of the measurement is done: ascending, at
    /// the end 1.
    std::function<void(double)> progress = {};
};

}  // namespace deepfreq
