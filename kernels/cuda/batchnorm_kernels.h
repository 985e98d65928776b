#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "kernels/cuda/backend_on.h"
#include "kernels/cuda/block.h"
#include "kernels/cuda/launch_shape.h"
#include "kernels/math.h"

// Batch normalisation of images [pixels, channels]. Sums over pixels are in double, in parts whose number
// depends on the shape alone, with one thread per part and channel. Then one block per channel adds up the
// parts and computes from them what the last pass over the images needs.

namespace deepfreq::cuda {

/// Two sums per part and channel: [part][channel] and, `gap` further on, [part][channel].
struct ChannelSums {
    double* sum;
    std::int64_t pixels, channels, parts;

    DEEPFREQ_HOST_DEVICE std::int64_t gap() const { return parts * channels; }
    DEEPFREQ_HOST_DEVICE std::int64_t first_pixel(std::int64_t part) const { return pixels * part / parts; }
};

/// Enough parts to fill a GPU, with sums that fit into `room` (partial_sum_doubles). Throws InputError if
/// there are more channels than room for them.
inline ChannelSums channel_sums(double* room, std::int64_t pixels, std::int64_t channels) {
    const std::int64_t max_parts = partial_sum_doubles / 2 / channels;
    if (max_parts == 0)
        throw InputError("batch normalisation of {} channels, expected at most {} on a GPU", channels,
                         partial_sum_doubles / 2);
    return {room, pixels, channels, std::min({pixels, max_parts, std::int64_t{1024}})};
}

/// Sums of x - x(first pixel) and of its square. The subtraction keeps a mean far from 0 from costing digits.
struct SumOfImages {
    const float* x;
    ChannelSums sums;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        const std::int64_t part = i / sums.channels;
        const std::int64_t channel = i % sums.channels;
        const auto origin = static_cast<double>(x[channel]);
        double sum = 0.0;
        double square = 0.0;
        for (std::int64_t p = sums.first_pixel(part); p < sums.first_pixel(part + 1); ++p) {
            const double distance = static_cast<double>(x[p * sums.channels + channel]) - origin;
            sum += distance;
            square += distance * distance;
        }
        sums.sum[i] = sum;
        sums.sum[sums.gap() + i] = square;
    }
};

/// Sums of dy and of dy (x - mean), after dy has been overwritten with dy activation'(z).
template <Activation A>
struct SumOfGradients {
    const float* x;
    const float* y;
    const float* mean;
    float* dy;
    ChannelSums sums;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        const std::int64_t part = i / sums.channels;
        const std::int64_t channel = i % sums.channels;
        double sum = 0.0;
        double product = 0.0;
        for (std::int64_t p = sums.first_pixel(part); p < sums.first_pixel(part + 1); ++p) {
            const std::int64_t at = p * sums.channels + channel;
            float gradient = dy[at];
            if constexpr (A != Activation::Identity) {
                gradient *= math::activation_slope<A>(y[at]);
                dy[at] = gradient;
            }
            sum += static_cast<double>(gradient);
            product += static_cast<double>(gradient) * static_cast<double>(x[at] - mean[channel]);
        }
        sums.sum[i] = sum;
        sums.sum[sums.gap() + i] = product;
    }
};

/// Threads and shared memory of the block that adds up one channel's parts.
inline constexpr int channel_threads = 128;
struct ChannelTerms {
    double term[channel_threads];
};

/// Sum of a channel's parts, for thread 0; `which` selects one of the two sums.
template <class Block>
DEEPFREQ_HOST_DEVICE double sum_of_channel(Block& block, ChannelTerms& shared, const ChannelSums& sums,
                                           int which) {
    double mine = 0.0;
    for (std::int64_t part = block.thread(); part < sums.parts; part += channel_threads)
        mine += sums.sum[which * sums.gap() + part * sums.channels + block.index()];
    const double sum = block_sum<channel_threads>(block, shared.term, mine);
    block.barrier();
    return sum;
}

/// Mean and inverse deviation of each channel. Also moves the running statistics towards the batch's.
struct Statistics {
    static constexpr int threads = channel_threads;
    using Shared = ChannelTerms;

    const float* x;
    ChannelSums sums;
    BatchNormParams params;
    float* running_mean;
    float* running_variance;
    float* saved_mean;
    float* saved_inv_std;

    template <class Block>
    DEEPFREQ_HOST_DEVICE void operator()(Block& block, Shared& shared) const {
        const double sum = sum_of_channel(block, shared, sums, 0);
        const double squares = sum_of_channel(block, shared, sums, 1);
        if (block.thread() != 0) return;
        const std::int64_t c = block.index();
        const auto count = static_cast<double>(sums.pixels);
        const double from_first = sum / count;
        const double mean = static_cast<double>(x[c]) + from_first;
        const double difference = squares / count - from_first * from_first;
        const double variance = difference < 0.0 ? 0.0 : difference;  // by rounding; NaN stays NaN
        saved_mean[c] = static_cast<float>(mean);
        saved_inv_std[c] = static_cast<float>(1.0 / std::sqrt(variance + params.epsilon));
        move(running_mean[c], mean);
        move(running_variance[c], variance * count / (count > 1.0 ? count - 1.0 : 1.0));
    }

  private:
    DEEPFREQ_HOST_DEVICE void move(float& running, double batch) const {
        running = static_cast<float>((1.0 - params.momentum) * static_cast<double>(running) +
                                     params.momentum * batch);
    }
};

/// y = activation((x - mean) inv_std scale + shift [+ residual]).
template <Activation A>
struct Normalize {
    const float* x;
    const float* mean;
    const float* inv_std;  ///< or null: 1 / sqrt(variance + epsilon)
    const float* variance;
    double epsilon;
    const float* scale;
    const float* shift;
    const float* residual;  ///< or null
    std::int64_t channels;
    float* y;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        const std::int64_t c = i % channels;
        const float factor = inv_std != nullptr
                                 ? scale[c] * inv_std[c]
                                 : static_cast<float>(static_cast<double>(scale[c]) /
                                                      std::sqrt(static_cast<double>(variance[c]) + epsilon));
        float value = (x[i] - mean[c]) * factor + shift[c];
        if (residual != nullptr) value += residual[i];
        y[i] = math::activate<A>(value);
    }
};

/// dscale and dshift of each channel. What the gradient with respect to x needs replaces the first sums of
/// the channel's parts: the mean of dy, and the slope of dx over x - mean.
struct ChannelGradients {
    static constexpr int threads = channel_threads;
    using Shared = ChannelTerms;

    ChannelSums sums;
    const float* inv_std;
    float* dscale;
    float* dshift;
    GradMode mode;

    template <class Block>
    DEEPFREQ_HOST_DEVICE void operator()(Block& block, Shared& shared) const {
        const double sum = sum_of_channel(block, shared, sums, 0);
        const double product = sum_of_channel(block, shared, sums, 1);
        if (block.thread() != 0) return;
        const std::int64_t c = block.index();
        const auto count = static_cast<double>(sums.pixels);
        const auto inverse = static_cast<double>(inv_std[c]);
        store(dscale[c], product * inverse);
        store(dshift[c], sum);
        sums.sum[c] = sum / count;
        sums.sum[sums.gap() + c] = product * inverse * inverse / count;
    }

  private:
    DEEPFREQ_HOST_DEVICE void store(float& target, double value) const {
        target =
            static_cast<float>(mode == GradMode::Accumulate ? static_cast<double>(target) + value : value);
    }
};

/// dx = scale inv_std (dy - mean of dy - (x - mean) slope), after ChannelGradients.
struct NormalizeBackward {
    const float* x;
    const float* dy;
    const float* mean;
    const float* inv_std;
    const float* scale;
    ChannelSums sums;
    float* dx;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        const std::int64_t c = i % sums.channels;
        const auto offset = static_cast<float>(sums.sum[c]);
        const auto slope = static_cast<float>(sums.sum[sums.gap() + c]);
        dx[i] = scale[c] * inv_std[c] * (dy[i] - offset - (x[i] - mean[c]) * slope);
    }
};

template <class Device>
void BackendOn<Device>::execute(const BatchNormForwardTraining& op) {
    const std::int64_t channels = op.x.shape[3];
    const ChannelSums sums = channel_sums(device_.partial_sums(), op.x.elements() / channels, channels);
    device_.each(sums.gap(), SumOfImages{op.x.data, sums});
    device_.blocks(channels, Statistics{op.x.data, sums, op.params, op.running_mean.data,
                                        op.running_variance.data, op.saved_mean.data, op.saved_inv_std.data});
    math::with_activation(op.activation, [&]<Activation A>() {
        device_.each(op.x.elements(),
                     Normalize<A>{op.x.data, op.saved_mean.data, op.saved_inv_std.data, nullptr, 0.0,
                                  op.scale.data, op.shift.data, op.residual.data, channels, op.y.data});
    });
}

template <class Device>
void BackendOn<Device>::execute(const BatchNormForwardInference& op) {
    math::with_activation(op.activation, [&]<Activation A>() {
        device_.each(op.x.elements(),
                     Normalize<A>{op.x.data, op.running_mean.data, nullptr, op.running_variance.data,
                                  op.params.epsilon, op.scale.data, op.shift.data, op.residual.data,
                                  op.x.shape[3], op.y.data});
    });
}

template <class Device>
void BackendOn<Device>::execute(const BatchNormBackward& op) {
    const std::int64_t channels = op.x.shape[3];
    const ChannelSums sums = channel_sums(device_.partial_sums(), op.x.elements() / channels, channels);
    math::with_activation(op.activation, [&]<Activation A>() {
        device_.each(sums.gap(),
                     SumOfGradients<A>{op.x.data, op.y.data, op.saved_mean.data, op.dy.data, sums});
    });
    device_.blocks(channels,
                   ChannelGradients{sums, op.saved_inv_std.data, op.dscale.data, op.dshift.data, op.mode});
    device_.each(op.x.elements(), NormalizeBackward{op.x.data, op.dy.data, op.saved_mean.data,
                                                    op.saved_inv_std.data, op.scale.data, sums, op.dx.data});
}

}  // namespace deepfreq::cuda
