#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "kernels/cuda/block.h"
#include "kernels/cuda/launch_shape.h"
#include "kernels/kernels.h"
#include "kernels/math.h"

// Batch normalisation of images [pixels, channels]: sums over pixels are taken in double, in parts whose
// number depends on the shape alone, one thread a part and channel; then a block a channel adds the parts up
// and makes of them what the last pass over the images needs.

namespace deepfreq::cuda {

/// Two sums of each part and channel: [part][channel] and, `gap` further, [part][channel].
struct ChannelSums {
    double* sum;
    std::int64_t pixels, channels, parts;

    DEEPFREQ_HOST_DEVICE std::int64_t gap() const { return parts * channels; }
    DEEPFREQ_HOST_DEVICE std::int64_t first_pixel(std::int64_t part) const { return pixels * part / parts; }
};

/// Doubles that ChannelSums may take in all.
inline constexpr std::int64_t channel_sum_doubles = 2 * 65536;

/// Parts that fill a GPU and whose sums fit. Throws InputError for more channels than there is room for.
inline ChannelSums channel_sums(double* room, std::int64_t pixels, std::int64_t channels) {
    const std::int64_t most = channel_sum_doubles / 2 / channels;
    if (most == 0)
        throw InputError("batch normalisation of {} channels, expected at most {} on a GPU", channels,
                         channel_sum_doubles / 2);
    return {room, pixels, channels, std::min({pixels, most, std::int64_t{1024}})};
}

/// Sums of x - x(first pixel) and of its square: what is taken off keeps a mean far from 0 from costing
/// digits.
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

/// Sums of dy and of dy (x - mean), dy being overwritten by dy sigma'(z) first.
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

/// Sum of a channel's parts, for thread 0; `which` of the two.
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

/// Mean and inverse deviation of each channel, and the running statistics moved towards the batch's.
struct Statistics {
    static constexpr int threads = channel_threads;
    using Shared = ChannelTerms;

    const float* x;
    ChannelSums sums;
    BatchNormParams params;
    float* running_mean;
    float* running_variance;
    float* saved_mean;
    float* saved_inverse_deviation;

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
        saved_inverse_deviation[c] = static_cast<float>(1.0 / std::sqrt(variance + params.epsilon));
        move(running_mean[c], mean);
        move(running_variance[c], variance * count / (count > 1.0 ? count - 1.0 : 1.0));
    }

  private:
    DEEPFREQ_HOST_DEVICE void move(float& running, double batch) const {
        running = static_cast<float>((1.0 - params.momentum) * static_cast<double>(running) +
                                     params.momentum * batch);
    }
};

/// y = sigma((x - mean) inverse_deviation scale + shift [+ residual]).
template <Activation A>
struct Normalize {
    const float* x;
    const float* mean;
    const float* inverse_deviation;  ///< or null: 1 / sqrt(variance + epsilon)
    const float* variance;
    double epsilon;
    const float* scale;
    const float* shift;
    const float* residual;  ///< or null
    std::int64_t channels;
    float* y;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        const std::int64_t c = i % channels;
        const float factor = inverse_deviation != nullptr
                                 ? scale[c] * inverse_deviation[c]
                                 : static_cast<float>(static_cast<double>(scale[c]) /
                                                      std::sqrt(static_cast<double>(variance[c]) + epsilon));
        float value = (x[i] - mean[c]) * factor + shift[c];
        if (residual != nullptr) value += residual[i];
        y[i] = math::activate<A>(value);
    }
};

/// dscale and dshift of each channel; what the gradient by x needs goes to the first sums of the channel's
/// parts: mean of dy, and slope of dx over x - mean.
struct ChannelGradients {
    static constexpr int threads = channel_threads;
    using Shared = ChannelTerms;

    ChannelSums sums;
    const float* inverse_deviation;
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
        const auto inverse = static_cast<double>(inverse_deviation[c]);
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

/// dx = scale inverse_deviation (dy - mean of dy - (x - mean) slope), after ChannelGradients.
struct NormalizeBackward {
    const float* x;
    const float* dy;
    const float* mean;
    const float* inverse_deviation;
    const float* scale;
    ChannelSums sums;
    float* dx;

    DEEPFREQ_HOST_DEVICE void operator()(std::int64_t i) const {
        const std::int64_t c = i % sums.channels;
        const auto offset = static_cast<float>(sums.sum[c]);
        const auto slope = static_cast<float>(sums.sum[sums.gap() + c]);
        dx[i] = scale[c] * inverse_deviation[c] * (dy[i] - offset - (x[i] - mean[c]) * slope);
    }
};

// What the operations do, on a device (StreamDevice, or the tests' host); `room` holds channel_sum_doubles.

/// Kernels::batch_norm_forward_training.
template <class Device>
void batch_norm_training(Device& device, double* room, ConstTensor x, ConstTensor scale, ConstTensor shift,
                         const BatchNormParams& params, Tensor running_mean, Tensor running_variance,
                         Tensor saved_mean, Tensor saved_inverse_deviation, ConstTensor residual,
                         Activation sigma, Tensor y) {
    const std::int64_t channels = x.shape[3];
    const ChannelSums sums = channel_sums(room, x.elements() / channels, channels);
    device.each(sums.gap(), SumOfImages{x.data, sums});
    device.blocks(channels, Statistics{x.data, sums, params, running_mean.data, running_variance.data,
                                       saved_mean.data, saved_inverse_deviation.data});
    math::with_activation(sigma, [&]<Activation A>() {
        device.each(x.elements(), Normalize<A>{x.data, saved_mean.data, saved_inverse_deviation.data, nullptr,
                                               0.0, scale.data, shift.data, residual.data, channels, y.data});
    });
}

/// Kernels::batch_norm_forward_inference.
template <class Device>
void batch_norm_inference(Device& device, ConstTensor x, ConstTensor scale, ConstTensor shift,
                          const BatchNormParams& params, ConstTensor running_mean,
                          ConstTensor running_variance, ConstTensor residual, Activation sigma, Tensor y) {
    math::with_activation(sigma, [&]<Activation A>() {
        device.each(x.elements(),
                    Normalize<A>{x.data, running_mean.data, nullptr, running_variance.data, params.epsilon,
                                 scale.data, shift.data, residual.data, x.shape[3], y.data});
    });
}

/// Kernels::batch_norm_backward.
template <class Device>
void batch_norm_backward(Device& device, double* room, ConstTensor x, ConstTensor y, ConstTensor scale,
                         ConstTensor saved_mean, ConstTensor saved_inverse_deviation, Activation sigma,
                         Tensor dy, Tensor dx, Tensor dscale, Tensor dshift, GradMode mode) {
    const std::int64_t channels = x.shape[3];
    const ChannelSums sums = channel_sums(room, x.elements() / channels, channels);
    math::with_activation(sigma, [&]<Activation A>() {
        device.each(sums.gap(), SumOfGradients<A>{x.data, y.data, saved_mean.data, dy.data, sums});
    });
    device.blocks(channels,
                  ChannelGradients{sums, saved_inverse_deviation.data, dscale.data, dshift.data, mode});
    device.each(x.elements(), NormalizeBackward{x.data, dy.data, saved_mean.data,
                                                saved_inverse_deviation.data, scale.data, sums, dx.data});
}

}  // namespace deepfreq::cuda
