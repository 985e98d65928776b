#include <algorithm>
#include <cmath>

#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/parts.h"
#include "kernels/cpu/vector_math.h"
#include "kernels/math.h"

namespace deepfreq {
namespace {

/// Pixels whose sum is taken before a channel's sum is read and written.
constexpr int pixels_at_once = 8;

/// Two sums over all pixels for each channel, in double and in an order that does not depend on the threads:
/// add_pixels<count>(first, sums, more_sums) adds those of pixels first … first+count-1.
/// Returns them side by side: [0, channels) and [channels, 2 channels).
template <class AddPixels>
const double* channel_sums(std::int64_t pixels, std::int64_t channels, Workspace& workspace,
                           const AddPixels& add_pixels) {
    double* const sums = workspace.room<double>(2 * channels * part_count);
    for_each_part(pixels, pixels * channels, [&](int part, std::int64_t first, std::int64_t last) {
        double* const of_part = sums + 2 * channels * part;
        std::fill_n(of_part, 2 * channels, 0.0);
        for (; first + pixels_at_once <= last; first += pixels_at_once)
            add_pixels.template operator()<pixels_at_once>(first, of_part, of_part + channels);
        for (; first < last; ++first) add_pixels.template operator()<1>(first, of_part, of_part + channels);
    });
    for (int part = 1; part < part_count; ++part)
        for (std::int64_t i = 0; i < 2 * channels; ++i) sums[i] += sums[2 * channels * part + i];
    return sums;
}

/// y = sigma((x - mean) factor + shift [+ residual]), channel by channel.
template <Activation A, bool HasResidual>
void normalize(ConstTensor x, const float* mean, const float* factor, const float* shift,
               ConstTensor residual, Tensor y) {
    const std::int64_t channels = x.shape[3];
    const std::int64_t size = x.elements();
#pragma omp parallel for schedule(static) if (size >= parallel_threshold)
    for (std::int64_t pixel = 0; pixel < size; pixel += channels) {
        const float* const in = x.data + pixel;
        const float* const added = HasResidual ? residual.data + pixel : nullptr;
        float* const out = y.data + pixel;
#pragma omp simd
        for (std::int64_t c = 0; c < channels; ++c) {
            float value = (in[c] - mean[c]) * factor[c] + shift[c];
            if constexpr (HasResidual) value += added[c];
            out[c] = math::activate<A>(value);
        }
    }
}

void normalize(ConstTensor x, const float* mean, const float* factor, const float* shift,
               ConstTensor residual, Activation sigma, Tensor y) {
    math::with_activation(sigma, [&]<Activation A>() {
        if (residual)
            normalize<A, true>(x, mean, factor, shift, residual, y);
        else
            normalize<A, false>(x, mean, factor, shift, residual, y);
    });
}

/// dy = dy sigma'(z); returns the sums over all pixels of dy and of dy (x - mean).
template <Activation A>
const double* gradient_sums(ConstTensor x, ConstTensor y, const float* mean, Tensor dy,
                            Workspace& workspace) {
    const std::int64_t channels = x.shape[3];
    const auto add_pixels = [&]<int Count>(std::int64_t first, double* sums, double* products) {
        const float* const in = x.data + first * channels;
        const float* const out = A != Activation::Identity ? y.data + first * channels : nullptr;
        float* const gradient = dy.data + first * channels;
#pragma omp simd
        for (std::int64_t c = 0; c < channels; ++c) {
            double sum = 0.0;
            double product = 0.0;
#pragma GCC unroll 8
            for (int i = 0; i < Count; ++i) {
                float& g = gradient[i * channels + c];
                if constexpr (A != Activation::Identity)
                    g *= math::activation_slope<A>(out[i * channels + c]);
                sum += static_cast<double>(g);
                product += static_cast<double>(g) * static_cast<double>(in[i * channels + c] - mean[c]);
            }
            sums[c] += sum;
            products[c] += product;
        }
    };
    return channel_sums(x.elements() / channels, channels, workspace, add_pixels);
}

void store(float& target, double value, GradMode mode) {
    target = static_cast<float>(mode == GradMode::Accumulate ? static_cast<double>(target) + value : value);
}

/// Moves a running statistic towards that of the batch.
void move(float& running, double batch, double momentum) {
    running = static_cast<float>((1.0 - momentum) * static_cast<double>(running) + momentum * batch);
}

}  // namespace

void CpuKernels::do_batch_norm_forward_training(ConstTensor x, ConstTensor scale, ConstTensor shift,
                                                const BatchNormParams& params, Tensor running_mean,
                                                Tensor running_variance, Tensor saved_mean,
                                                Tensor saved_inverse_deviation, ConstTensor residual,
                                                Activation sigma, Tensor y) {
    const std::int64_t channels = x.shape[3];
    const std::int64_t pixels = x.elements() / channels;
    // The first pixel is taken off all others: else a mean far from 0 would cost the variance digits.
    const auto add_pixels = [&]<int Count>(std::int64_t first, double* sums, double* squares) {
        const float* const in = x.data + first * channels;
#pragma omp simd
        for (std::int64_t c = 0; c < channels; ++c) {
            double sum = 0.0;
            double square = 0.0;
#pragma GCC unroll 8
            for (int i = 0; i < Count; ++i) {
                const double distance =
                    static_cast<double>(in[i * channels + c]) - static_cast<double>(x.data[c]);
                sum += distance;
                square += distance * distance;
            }
            sums[c] += sum;
            squares[c] += square;
        }
    };
    const double* const sums = channel_sums(pixels, channels, workspace_, add_pixels);
    const auto count = static_cast<double>(pixels);
    for (std::int64_t c = 0; c < channels; ++c) {
        const double from_first = sums[c] / count;
        const double mean = static_cast<double>(x.data[c]) + from_first;
        const double difference = sums[channels + c] / count - from_first * from_first;
        const double variance = difference < 0.0 ? 0.0 : difference;  // by rounding; NaN stays NaN
        saved_mean.data[c] = static_cast<float>(mean);
        saved_inverse_deviation.data[c] = static_cast<float>(1.0 / std::sqrt(variance + params.epsilon));
        move(running_mean.data[c], mean, params.momentum);
        move(running_variance.data[c], variance * count / std::max(1.0, count - 1.0), params.momentum);
    }
    float* const factor = small_workspace_.room<float>(channels);
    for (std::int64_t c = 0; c < channels; ++c) factor[c] = scale.data[c] * saved_inverse_deviation.data[c];
    normalize(x, saved_mean.data, factor, shift.data, residual, sigma, y);
}

void CpuKernels::do_batch_norm_forward_inference(ConstTensor x, ConstTensor scale, ConstTensor shift,
                                                 const BatchNormParams& params, ConstTensor running_mean,
                                                 ConstTensor running_variance, ConstTensor residual,
                                                 Activation sigma, Tensor y) {
    const std::int64_t channels = x.shape[3];
    float* const factor = small_workspace_.room<float>(channels);
    for (std::int64_t c = 0; c < channels; ++c)
        factor[c] =
            static_cast<float>(static_cast<double>(scale.data[c]) /
                               std::sqrt(static_cast<double>(running_variance.data[c]) + params.epsilon));
    normalize(x, running_mean.data, factor, shift.data, residual, sigma, y);
}

void CpuKernels::do_batch_norm_backward(ConstTensor x, ConstTensor y, ConstTensor scale,
                                        ConstTensor saved_mean, ConstTensor saved_inverse_deviation,
                                        Activation sigma, Tensor dy, Tensor dx, Tensor dscale, Tensor dshift,
                                        GradMode mode) {
    const std::int64_t channels = x.shape[3];
    const std::int64_t size = x.elements();
    const float* const mean = saved_mean.data;
    const double* sums = nullptr;
    math::with_activation(sigma,
                          [&]<Activation A>() { sums = gradient_sums<A>(x, y, mean, dy, workspace_); });
    const std::int64_t pixels = size / channels;
    const auto count = static_cast<double>(pixels);
    // dx = factor (dy - offset - (x - mean) slope), with these three for each channel.
    float* const factor = small_workspace_.room<float>(3 * channels);
    float* const offset = factor + channels;
    float* const slope = offset + channels;
    for (std::int64_t c = 0; c < channels; ++c) {
        const auto inverse = static_cast<double>(saved_inverse_deviation.data[c]);
        const double of_scale = sums[channels + c] * inverse;
        factor[c] = scale.data[c] * saved_inverse_deviation.data[c];
        offset[c] = static_cast<float>(sums[c] / count);
        slope[c] = static_cast<float>(of_scale * inverse / count);
        store(dscale.data[c], of_scale, mode);
        store(dshift.data[c], sums[c], mode);
    }
#pragma omp parallel for schedule(static) if (size >= parallel_threshold)
    for (std::int64_t pixel = 0; pixel < size; pixel += channels) {
        const float* const in = x.data + pixel;
        const float* const gradient = dy.data + pixel;
        float* const out = dx.data + pixel;
#pragma omp simd
        for (std::int64_t c = 0; c < channels; ++c)
            out[c] = factor[c] * (gradient[c] - offset[c] - (in[c] - mean[c]) * slope[c]);
    }
}

}  // namespace deepfreq
