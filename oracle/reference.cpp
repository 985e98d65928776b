#include "oracle/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "common/philox.h"

namespace deepfreq::reference {
namespace {

constexpr double eps = std::numeric_limits<float>::epsilon();
constexpr double smallest_normal = std::numeric_limits<float>::min();

/// left[rows,terms] times right[terms,columns]; element (i, k) of left is at i * row_stride + k *
/// term_stride.
struct Operand {
    const Values& value;
    std::int64_t row_stride, term_stride;
};
Estimate product(const Operand& left, const Values& right, std::int64_t rows, std::int64_t terms,
                 std::int64_t columns, Precision precision) {
    Estimate out{Values(rows * columns), Values(rows * columns)};
    for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t k = 0; k < terms; ++k)
            for (std::int64_t j = 0; j < columns; ++j) {
                const double term =
                    left.value[i * left.row_stride + k * left.term_stride] * right[k * columns + j];
                out.value[i * columns + j] += term;
                out.error[i * columns + j] += std::abs(term);
            }
        for (std::int64_t j = 0; j < columns; ++j)
            out.error[i * columns + j] = product_rounding(out.error[i * columns + j], terms, precision);
    }
    return out;
}

}  // namespace

double rounding(double magnitude, std::int64_t terms) {
    return (4.0 + std::sqrt(static_cast<double>(terms))) * eps * magnitude + smallest_normal;
}

double product_rounding(double magnitude, std::int64_t terms, Precision precision) {
    const double factor = precision == Precision::TensorFloat32 ? 0x1p-10
                          : precision == Precision::BFloat16    ? 0x1p-7
                                                                : 0.0;
    return rounding(magnitude, terms) + factor * (2.0 + factor) * magnitude;
}

double activate(Activation activation, double z) {
    switch (activation) {
        case Activation::Tanh:
            return std::tanh(z);
        case Activation::Relu:
            return z <= 0.0 ? 0.0 : z;
        case Activation::Sigmoid:
            return 1.0 / (1.0 + std::exp(-z));
        case Activation::Identity:
            break;
    }
    return z;
}

double activation_slope(Activation activation, double y) {
    switch (activation) {
        case Activation::Tanh:
            return 1.0 - y * y;
        case Activation::Relu:
            return y > 0.0 ? 1.0 : 0.0;
        case Activation::Sigmoid:
            return y * (1.0 - y);
        case Activation::Identity:
            break;
    }
    return 1.0;
}

double activation_slope_change(Activation activation, double y) {
    switch (activation) {
        case Activation::Tanh:
            return std::abs(2.0 * y);
        case Activation::Sigmoid:
            return std::abs(1.0 - 2.0 * y);
        case Activation::Relu:
        case Activation::Identity:
            break;
    }
    return 0.0;
}

bool is_rounded(Activation activation) {
    return activation != Activation::Identity && activation != Activation::Relu;
}

double activation_error(Activation activation, double z, double error) {
    if (!is_rounded(activation)) return error;
    // The slopes of the others decrease with |z|.
    const double steepest = std::copysign(std::max(std::abs(z) - error, 0.0), z);
    return activation_slope(activation, activate(activation, steepest)) * error +
           rounding(std::abs(activate(activation, z)), 0);
}

Estimate dense_forward(const Values& x, const Values& w, const Values& b, Activation activation,
                       DenseShape shape, Precision precision) {
    const auto [n, in, out] = shape;
    Estimate y{Values(n * out), Values(n * out)};
    for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < out; ++j) {
            double z = b[j];
            double magnitude = std::abs(b[j]);
            for (std::int64_t k = 0; k < in; ++k) {
                z += x[i * in + k] * w[j * in + k];
                magnitude += std::abs(x[i * in + k] * w[j * in + k]);
            }
            const double error = product_rounding(magnitude, in + 1, precision);
            y.value[i * out + j] = activate(activation, z);
            y.error[i * out + j] = activation_error(activation, z, error);
        }
    return y;
}

DenseGradients dense_backward(const Values& x, const Values& w, const Values& y, Activation activation,
                              const Values& dy, DenseShape shape, Precision precision) {
    const auto [n, in, out] = shape;
    DenseGradients g;
    for (std::size_t i = 0; i < dy.size(); ++i) {
        g.dz.value.push_back(dy[i] * activation_slope(activation, y[i]));
        g.dz.error.push_back(rounding(std::abs(g.dz.value[i]), 0));
    }
    g.dx = product({g.dz.value, out, 1}, w, n, out, in, precision);
    g.dw = product({g.dz.value, 1, out}, x, out, n, in, precision);
    for (std::int64_t j = 0; j < out; ++j) {
        double sum = 0.0;
        double magnitude = 0.0;
        for (std::int64_t i = 0; i < n; ++i) {
            sum += g.dz.value[i * out + j];
            magnitude += std::abs(g.dz.value[i * out + j]);
        }
        g.db.value.push_back(sum);
        g.db.error.push_back(rounding(magnitude, 0));
    }
    return g;
}

Loss mean_squared_error(const Values& p, const Values& t, std::int64_t n, std::int64_t c) {
    Loss loss;
    double sum = 0.0;
    for (std::size_t i = 0; i < p.size(); ++i) {
        const double difference = p[i] - t[i];
        sum += difference * difference / static_cast<double>(c);
        loss.gradient.value.push_back(2.0 * difference / static_cast<double>(n * c));
        loss.gradient.error.push_back(rounding(std::abs(loss.gradient.value.back()), 0));
    }
    loss.sum = {{sum}, {rounding(sum, c)}};
    return loss;
}

Loss softmax_cross_entropy(const Values& z, const Values& t, std::int64_t n, std::int64_t c) {
    Loss loss;
    double sum = 0.0;
    double magnitude = 0.0;
    for (std::int64_t i = 0; i < n; ++i) {
        double largest = z[i * c];
        for (std::int64_t j = 1; j < c; ++j) largest = std::max(largest, z[i * c + j]);
        double partition = 0.0;
        for (std::int64_t j = 0; j < c; ++j) partition += std::exp(z[i * c + j] - largest);
        const double log_partition = std::log(partition);
        for (std::int64_t j = 0; j < c; ++j) {
            const double below = z[i * c + j] - largest;
            const double probability = std::exp(below) / partition;
            const double target = t[i * c + j];
            sum -= target * (below - log_partition);
            // The log of a partition sum off by a relative eps is off by eps: hence the 1.
            const double term = std::abs(below) + log_partition + 1.0;
            magnitude += target * term;
            loss.gradient.value.push_back((probability - target) / static_cast<double>(n));
            loss.gradient.error.push_back(
                rounding((probability * term + target) / static_cast<double>(n), c));
        }
    }
    loss.sum = {{sum}, {rounding(magnitude, c)}};
    return loss;
}

std::int64_t count_correct(const Values& p, const std::vector<std::int32_t>& labels, std::int64_t c) {
    std::int64_t correct = 0;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        std::int64_t largest = 0;
        for (std::int64_t j = 1; j < c; ++j)
            if (p[i * c + j] > p[i * c + largest]) largest = j;
        if (largest == labels[i]) ++correct;
    }
    return correct;
}

AdamResult adam(const Values& w, const Values& dw, const Values& m, const Values& v, const AdamParams& params,
                const StepState& state) {
    const auto t = static_cast<double>(state.update + 1);
    AdamResult r;
    for (std::size_t i = 0; i < w.size(); ++i) {
        const double first = params.beta1 * m[i] + (1.0 - params.beta1) * dw[i];
        const double first_magnitude = params.beta1 * std::abs(m[i]) + (1.0 - params.beta1) * std::abs(dw[i]);
        const double second = params.beta2 * v[i] + (1.0 - params.beta2) * dw[i] * dw[i];
        const double step = state.learning_rate / (1.0 - std::pow(params.beta1, t)) /
                            (std::sqrt(second / (1.0 - std::pow(params.beta2, t))) + params.epsilon);
        r.m.value.push_back(first);
        r.m.error.push_back(rounding(first_magnitude, 2));
        r.v.value.push_back(second);
        r.v.error.push_back(rounding(second, 2));
        r.w.value.push_back(w[i] - step * first);
        // m, sqrt(v) and the two factors each contribute an error: 4 in all.
        r.w.error.push_back(rounding(std::abs(w[i]), 0) + 4.0 * rounding(step * first_magnitude, 2));
    }
    return r;
}

Values gather_rows(const Values& source, std::int64_t columns, const std::vector<std::int32_t>& permutation,
                   std::int64_t first, std::int64_t count) {
    Values batch;
    for (std::int64_t i = first; i < first + count; ++i)
        for (std::int64_t j = 0; j < columns; ++j) batch.push_back(source[permutation[i] * columns + j]);
    return batch;
}

Values gather_augmented_images(const Values& source, const Shape& image,
                               const std::vector<std::int32_t>& permutation, const StepState& state,
                               std::int64_t count, const AugmentParams& params) {
    const std::int64_t h = image[0], w = image[1], c = image[2];
    const std::int64_t padded_w = w + 2 * params.crop, moves = 2 * params.crop + 1;
    Values batch;
    for (std::int64_t i = 0; i < count; ++i) {
        Values padded((h + 2 * params.crop) * padded_w * c, 0.0);
        const std::int64_t first = permutation[state.sample + i] * image.elements();
        for (std::int64_t r = 0; r < h; ++r)
            for (std::int64_t k = 0; k < w * c; ++k)
                padded[((r + params.crop) * padded_w + params.crop) * c + k] = source[first + r * w * c + k];
        const auto word = Philox(params.seed, RandomUse::Augmentation, static_cast<std::uint32_t>(i))
                              .words(static_cast<std::uint64_t>(state.update));
        const std::int64_t top = 2 * params.crop - word[1] % moves;
        const std::int64_t left = 2 * params.crop - word[2] % moves;
        for (std::int64_t r = 0; r < h; ++r)
            for (std::int64_t s = 0; s < w; ++s) {
                const std::int64_t column = params.flip && word[0] % 2 == 1 ? w - 1 - s : s;
                for (std::int64_t k = 0; k < c; ++k)
                    batch.push_back(padded[((top + r) * padded_w + left + column) * c + k]);
            }
    }
    return batch;
}

std::vector<std::int32_t> random_permutation(std::int64_t n, std::uint64_t seed, std::uint32_t epoch) {
    const Philox philox(seed, RandomUse::Batches, epoch);
    std::vector<std::uint64_t> keys;
    for (std::int64_t i = 0; i < n; ++i) keys.push_back(philox.word64(static_cast<std::uint64_t>(i)));
    std::vector<std::int32_t> order(n);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&keys](std::int32_t a, std::int32_t b) { return keys[a] < keys[b]; });
    return order;
}

Estimate scale_columns_by_max_abs(const Values& x, std::int64_t n, std::int64_t c) {
    Estimate scaled{x, Values(x.size())};
    for (std::int64_t j = 0; j < c; ++j) {
        double largest = 0.0;
        for (std::int64_t i = 0; i < n; ++i) largest = std::max(largest, std::abs(x[i * c + j]));
        for (std::int64_t i = 0; i < n; ++i) {
            if (largest > 0.0) scaled.value[i * c + j] /= largest;
            scaled.error[i * c + j] = rounding(std::abs(scaled.value[i * c + j]), 0);
        }
    }
    return scaled;
}

Estimate centre_columns(const Values& x, std::int64_t n, std::int64_t c) {
    Estimate centred{x, Values(x.size())};
    for (std::int64_t j = 0; j < c; ++j) {
        double sum = 0.0;
        for (std::int64_t i = 0; i < n; ++i) sum += x[i * c + j];
        const double mean = sum / static_cast<double>(n);
        for (std::int64_t i = 0; i < n; ++i) {
            centred.value[i * c + j] -= mean;
            centred.error[i * c + j] = rounding(std::abs(x[i * c + j]) + std::abs(mean), 0);
        }
    }
    return centred;
}

Estimate softmax(const Values& z, std::int64_t n, std::int64_t c) {
    Estimate p{Values(z.size()), Values(z.size())};
    for (std::int64_t i = 0; i < n; ++i) {
        const double top = *std::max_element(&z[i * c], &z[i * c] + c);
        double sum = 0.0;
        for (std::int64_t j = 0; j < c; ++j) sum += std::exp(z[i * c + j] - top);
        for (std::int64_t j = 0; j < c; ++j) {
            p.value[i * c + j] = std::exp(z[i * c + j] - top) / sum;
            p.error[i * c + j] = rounding(p.value[i * c + j], 0);
        }
    }
    return p;
}

Estimate dropout(const Values& x, const DropoutParams& params, std::int64_t update) {
    const Philox random(params.seed, RandomUse::Dropout, params.stream);
    const double rate = std::round(params.rate * 65536.0) / 65536.0;
    Estimate y;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const auto word = random.words(static_cast<std::uint64_t>(update) << 32 | i / 8)[i % 8 / 2];
        const std::uint32_t bits = i % 2 == 0 ? word % 65536 : word / 65536;
        const bool kept = bits >= rate * 65536.0;
        y.value.push_back(kept ? x[i] / (1.0 - rate) : 0.0);
        y.error.push_back(kept ? rounding(std::abs(y.value[i]), 0) : 0.0);
    }
    return y;
}

Estimate sum_of_squares(const Values& x) {
    // Wider than double, or the naive loop would be the less accurate of the two.
    long double wide_sum = 0.0L;
    for (const double value : x) wide_sum += static_cast<long double>(value) * value;
    const auto sum = static_cast<double>(wide_sum);
    const double double_eps = std::numeric_limits<double>::epsilon();
    return {{sum}, {(4.0 + std::sqrt(static_cast<double>(x.size()))) * double_eps * sum}};
}

std::optional<std::int64_t> first_non_finite(const Values& x) {
    for (std::size_t i = 0; i < x.size(); ++i)
        if (!std::isfinite(x[i])) return static_cast<std::int64_t>(i);
    return std::nullopt;
}

Estimate accumulated(Estimate estimate, const Values& before) {
    for (std::size_t i = 0; i < before.size(); ++i) {
        estimate.value[i] += before[i];
        estimate.error[i] += rounding(std::abs(before[i]), 0);
    }
    return estimate;
}

Estimate exactly(Values values) {
    Values none(values.size(), 0.0);
    return {std::move(values), std::move(none)};
}

}  // namespace deepfreq::reference
