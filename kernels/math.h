#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "common/host_device.h"
#include "kernels/ops/adam.h"

// The scalar formulas, written once for both backends: a CPU-only test run executes the code the GPU runs.

namespace deepfreq::math {

/// y = activation(z). NaN stays NaN, even with ReLU, so that divergence shows in the loss.
template <Activation A>
DEEPFREQ_HOST_DEVICE inline float activate(float z) {
    if constexpr (A == Activation::Tanh) return std::tanh(z);
    if constexpr (A == Activation::Relu) return z < 0.0F ? 0.0F : z;
    if constexpr (A == Activation::Sigmoid) return 1.0F / (1.0F + std::exp(-z));
    return z;
}

/// activation'(z) in terms of y = activation(z), which is all that is saved for the backward pass.
/// ReLU'(0) = 0.
template <Activation A>
DEEPFREQ_HOST_DEVICE inline float activation_slope(float y) {
    // 1 - y^2, factored, because the square would be rounded just where it is nearly 1.
    if constexpr (A == Activation::Tanh) return (1.0F - y) * (1.0F + y);
    if constexpr (A == Activation::Relu) return y > 0.0F ? 1.0F : 0.0F;
    if constexpr (A == Activation::Sigmoid) return y * (1.0F - y);
    return 1.0F;
}

/// Calls `work` with the activation as a compile-time constant, so that its loop contains no branch.
template <class Work>
void with_activation(Activation activation, const Work& work) {
    switch (activation) {
        case Activation::Identity:
            return work.template operator()<Activation::Identity>();
        case Activation::Tanh:
            return work.template operator()<Activation::Tanh>();
        case Activation::Relu:
            return work.template operator()<Activation::Relu>();
        case Activation::Sigmoid:
            return work.template operator()<Activation::Sigmoid>();
    }
}

/// The bfloat16 nearest to x, ties to even: the upper half of the float, rounded by an addition that carries
/// into the exponent. NaN stays NaN.
DEEPFREQ_HOST_DEVICE inline std::uint16_t bfloat16_bits(float x) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &x, sizeof bits);
    const bool nan = (bits & 0x7FFFFFFFU) > 0x7F800000U;
    return static_cast<std::uint16_t>((nan ? bits | 0x400000U : bits + 0x7FFFU + (bits >> 16 & 1U)) >> 16);
}

/// The same value as a float.
DEEPFREQ_HOST_DEVICE inline float bfloat16_value(float x) {
    const std::uint32_t bits = static_cast<std::uint32_t>(bfloat16_bits(x)) << 16;
    std::memcpy(&x, &bits, sizeof x);
    return x;
}

/// The constants shared by all parameters of one Adam update, computed once in double.
struct AdamStep {
    float beta1, one_minus_beta1;
    float beta2, one_minus_beta2;
    float epsilon;
    float step_size;          ///< learning rate / (1 - beta1^t)
    float second_correction;  ///< 1 / sqrt(1 - beta2^t)
};

/// Constants of the update that follows `state.update` earlier ones. It is number
/// t = update - restart + 1 with the current moments.
DEEPFREQ_HOST_DEVICE inline AdamStep adam_step(const AdamParams& params, const StepState& state) {
    const double t = static_cast<double>(state.update - state.restart + 1);
    const double first = 1.0 - std::pow(params.beta1, t);
    const double second = 1.0 - std::pow(params.beta2, t);
    return {static_cast<float>(params.beta1),           static_cast<float>(1.0 - params.beta1),
            static_cast<float>(params.beta2),           static_cast<float>(1.0 - params.beta2),
            static_cast<float>(params.epsilon),         static_cast<float>(state.learning_rate / first),
            static_cast<float>(1.0 / std::sqrt(second))};
}

/// One parameter of an Adam update: w, m and v are overwritten.
DEEPFREQ_HOST_DEVICE inline void adam_update(const AdamStep& s, float gradient, float& w, float& m,
                                             float& v) {
    m = s.beta1 * m + s.one_minus_beta1 * gradient;
    v = s.beta2 * v + s.one_minus_beta2 * gradient * gradient;
    w -= s.step_size * m / (std::sqrt(v) * s.second_correction + s.epsilon);
}

/// A sum of floats, high + low, nearly as accurate as in double, for devices where double is slow. Aligned so
/// that both are read at once.
struct alignas(8) CompensatedSum {
    float high, low;
};

/// sum + x; what the addition rounds off goes to `low` (Knuth's TwoSum).
DEEPFREQ_HOST_DEVICE inline CompensatedSum add(const CompensatedSum& sum, float x) {
    const float high = sum.high + x;
    const float part = high - sum.high;
    return {high, sum.low + ((sum.high - (high - part)) + (x - part))};
}
DEEPFREQ_HOST_DEVICE inline double value_of(const CompensatedSum& sum) {
    return static_cast<double>(sum.high) + static_cast<double>(sum.low);
}

}  // namespace deepfreq::math
