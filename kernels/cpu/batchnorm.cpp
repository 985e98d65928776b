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

/// y = activation((x - mean) factor + shift [+ residual]), channel by channel.
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
               ConstTensor residual, Activation activation, Tensor y) {
    math::with_activation(activation, [&]<Activation A>() {
        if (residual)
            normalize<A, true>(x, mean, factor, shift, residual, y);
        else
            normalize<A, false>(x, mean, factor, shift, residual, y);
    });
}

/// dy = dy activation'(z); returns the sums over all pixels of dy and of dy (x - mean).
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

void CpuBackend::execute(const BatchNormForwardTraining& op) {
    const std::int64_t channels = op.x.shape[3];
    const std::int64_t pixels = op.x.elements() / channels;
    // The first pixel is taken off all others: else a mean far from 0 would cost the variance digits.
    const auto add_pixels = [&]<int Count>(std::int64_t first, double* sums, double* squares) {
        const float* const in = op.x.data + first * channels;
#pragma omp simd
        for (std::int64_t c = 0; c < channels; ++c) {
            double sum = 0.0;
            double square = 0.0;
#pragma GCC unroll 8
            for (int i = 0; i < Count; ++i) {
                const double distance =
                    static_cast<double>(in[i * channels + c]) - static_cast<double>(op.x.data[c]);
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
        const double mean = static_cast<double>(op.x.data[c]) + from_first;
        const double difference = sums[channels + c] / count - from_first * from_first;
        const double variance = difference < 0.0 ? 0.0 : difference;  // by rounding; NaN stays NaN
        op.saved_mean.data[c] = static_cast<float>(mean);
        op.saved_inv_std.data[c] = static_cast<float>(1.0 / std::sqrt(variance + op.params.epsilon));
        move(op.running_mean.data[c], mean, op.params.momentum);
        move(op.running_variance.data[c], variance * count / std::max(1.0, count - 1.0), op.params.momentum);
    }
    float* const factor = small_workspace_.room<float>(channels);
    for (std::int64_t c = 0; c < channels; ++c) factor[c] = op.scale.data[c] * op.saved_inv_std.data[c];
    normalize(op.x, op.saved_mean.data, factor, op.shift.data, op.residual, op.activation, op.y);
}

void CpuBackend::execute(const BatchNormForwardInference& op) {
    const std::int64_t channels = op.x.shape[3];
    float* const factor = small_workspace_.room<float>(channels);
    for (std::int64_t c = 0; c < channels; ++c)
        factor[c] = static_cast<float>(
            static_cast<double>(op.scale.data[c]) /
            std::sqrt(static_cast<double>(op.running_variance.data[c]) + op.params.epsilon));
    normalize(op.x, op.running_mean.data, factor, op.shift.data, op.residual, op.activation, op.y);
}

void CpuBackend::execute(const BatchNormBackward& op) {
    const std::int64_t channels = op.x.shape[3];
    const std::int64_t size = op.x.elements();
    const float* const mean = op.saved_mean.data;
    const double* sums = nullptr;
    math::with_activation(
        op.activation, [&]<Activation A>() { sums = gradient_sums<A>(op.x, op.y, mean, op.dy, workspace_); });
    const std::int64_t pixels = size / channels;
    const auto count = static_cast<double>(pixels);
    // dx = factor (dy - offset - (x - mean) slope), with these three for each channel.
    float* const factor = small_workspace_.room<float>(3 * channels);
    float* const offset = factor + channels;
    float* const slope = offset + channels;
    for (std::int64_t c = 0; c < channels; ++c) {
        const auto inverse = static_cast<double>(op.saved_inv_std.data[c]);
        const double of_scale = sums[channels + c] * inverse;
        factor[c] = op.scale.data[c] * op.saved_inv_std.data[c];
        offset[c] = static_cast<float>(sums[c] / count);
        slope[c] = static_cast<float>(of_scale * inverse / count);
        store(op.dscale.data[c], of_scale, op.mode);
        store(op.dshift.data[c], sums[c], op.mode);
    }
#pragma omp parallel for schedule(static) if (size >= parallel_threshold)
    for (std::int64_t pixel = 0; pixel < size; pixel += channels) {
        const float* const in = op.x.data + pixel;
        const float* const gradient = op.dy.data + pixel;
        float* const out = op.dx.data + pixel;
#pragma omp simd
        for (std::int64_t c = 0; c < channels; ++c)
            out[c] = factor[c] * (gradient[c] - offset[c] - (in[c] - mean[c]) * slope[c]);
    }
}

}  // namespace deepfreq
