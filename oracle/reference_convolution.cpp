#include "oracle/reference_convolution.h"

#include <cmath>

namespace deepfreq::reference {
namespace {

/// Four indices that run through the elements of a shape.
struct Place {
    std::int64_t i, r, s, c;

    Place(const Shape& shape, std::int64_t index)
        : i(index / (shape[1] * shape[2] * shape[3])),
          r(index / (shape[2] * shape[3]) % shape[1]),
          s(index / shape[3] % shape[2]),
          c(index % shape[3]) {}
};

std::int64_t offset(const Shape& shape, std::int64_t i, std::int64_t r, std::int64_t s, std::int64_t c) {
    return ((i * shape[1] + r) * shape[2] + s) * shape[3] + c;
}

/// A sum of products, and the number of terms, for the error rule.
struct Products {
    double value = 0.0;
    double magnitude = 0.0;
    std::int64_t terms = 0;

    /// Adds a[k stride_a] b[k stride_b] for k < count.
    void add(const double* a, std::int64_t stride_a, const double* b, std::int64_t stride_b,
             std::int64_t count) {
        double sum = 0.0;
        double absolute = 0.0;
#pragma omp simd reduction(+ : sum, absolute)
        for (std::int64_t k = 0; k < count; ++k) {
            const double term = a[k * stride_a] * b[k * stride_b];
            sum += term;
            absolute += std::abs(term);
        }
        value += sum;
        magnitude += absolute;
        terms += count;
    }
    ConvolutionSum result(Precision precision) const {
        return {value, product_rounding(magnitude, terms, precision)};
    }
};

template <class Element>
Estimate every_element(const Shape& shape, const Element& element) {
    const std::int64_t count = shape.elements();
    Estimate all{Values(count), Values(count)};
#pragma omp parallel for schedule(static)
    for (std::int64_t index = 0; index < count; ++index) {
        const ConvolutionSum sum = element(index);
        all.value[index] = sum.value;
        all.error[index] = sum.error;
    }
    return all;
}

/// Calls work(element of the small image, element of x) for all elements of x.
template <class Work>
void for_each_pooled(const Shape& shape, const PoolParams& params, const Work& work) {
    const Shape small{shape[0], shape[1] / params.height, shape[2] / params.width, shape[3]};
    for (std::int64_t index = 0; index < shape.elements(); ++index) {
        const Place at(shape, index);
        work(offset(small, at.i, at.r / params.height, at.s / params.width, at.c), index);
    }
}

}  // namespace

ConvolutionShape::ConvolutionShape(Shape x_shape, Shape w_shape, Conv2dParams parameters)
    : x(x_shape), w(w_shape), params(parameters) {
    const auto extent = [&](int axis) {
        return (x[axis] + 2 * params.padding - w[axis]) / params.stride + 1;
    };
    y = {x[0], extent(1), extent(2), w[0]};
}

ConvolutionSum conv2d_y(const Values& x, const Values& w, const ConvolutionShape& shape, std::int64_t index,
                        Precision precision) {
    const Place at(shape.y, index);
    Products sum;
    for (std::int64_t a = 0; a < shape.w[1]; ++a)
        for (std::int64_t b = 0; b < shape.w[2]; ++b) {
            const std::int64_t r = at.r * shape.params.stride + a - shape.params.padding;
            const std::int64_t s = at.s * shape.params.stride + b - shape.params.padding;
            if (r < 0 || r >= shape.x[1] || s < 0 || s >= shape.x[2]) continue;
            sum.add(&x[offset(shape.x, at.i, r, s, 0)], 1, &w[offset(shape.w, at.c, a, b, 0)], 1, shape.x[3]);
        }
    return sum.result(precision);
}

ConvolutionSum conv2d_dx(const Values& w, const Values& dy, const ConvolutionShape& shape, std::int64_t index,
                         Precision precision) {
    const Place at(shape.x, index);
    const std::int64_t stride = shape.params.stride;
    Products sum;
    for (std::int64_t a = 0; a < shape.w[1]; ++a)
        for (std::int64_t b = 0; b < shape.w[2]; ++b) {
            // The y that reads this x with filter element (a, b), if there is one.
            const std::int64_t r = at.r + shape.params.padding - a;
            const std::int64_t s = at.s + shape.params.padding - b;
            if (r < 0 || s < 0 || r % stride != 0 || s % stride != 0) continue;
            if (r / stride >= shape.y[1] || s / stride >= shape.y[2]) continue;
            sum.add(&dy[offset(shape.y, at.i, r / stride, s / stride, 0)], 1,
                    &w[offset(shape.w, 0, a, b, at.c)], shape.w[1] * shape.w[2] * shape.w[3], shape.w[0]);
        }
    return sum.result(precision);
}

ConvolutionSum conv2d_dw(const Values& x, const Values& dy, const ConvolutionShape& shape, std::int64_t index,
                         Precision precision) {
    const Place at(shape.w, index);  // i is the channel of y, r and s the place in the filter
    Products sum;
    for (std::int64_t i = 0; i < shape.y[0]; ++i)
        for (std::int64_t r = 0; r < shape.y[1]; ++r)
            for (std::int64_t s = 0; s < shape.y[2]; ++s) {
                const std::int64_t row = r * shape.params.stride + at.r - shape.params.padding;
                const std::int64_t column = s * shape.params.stride + at.s - shape.params.padding;
                if (row < 0 || row >= shape.x[1] || column < 0 || column >= shape.x[2]) continue;
                sum.add(&x[offset(shape.x, i, row, column, at.c)], 1, &dy[offset(shape.y, i, r, s, at.i)], 1,
                        1);
            }
    return sum.result(precision);
}

Estimate conv2d_forward(const Values& x, const Values& w, const ConvolutionShape& shape,
                        Precision precision) {
    return every_element(shape.y,
                         [&](std::int64_t index) { return conv2d_y(x, w, shape, index, precision); });
}

ConvolutionGradients conv2d_backward(const Values& x, const Values& w, const Values& dy,
                                     const ConvolutionShape& shape, Precision precision) {
    return {
        every_element(shape.x, [&](std::int64_t index) { return conv2d_dx(w, dy, shape, index, precision); }),
        every_element(shape.w,
                      [&](std::int64_t index) { return conv2d_dw(x, dy, shape, index, precision); })};
}

BatchNormStatistics batch_statistics(const Values& x, std::int64_t channels, const BatchNormParams& params) {
    const auto pixels = static_cast<std::int64_t>(x.size()) / channels;
    const auto count = static_cast<double>(pixels);
    BatchNormStatistics out;
    Values variances;
    Values unbiased;
    for (std::int64_t c = 0; c < channels; ++c) {
        double mean = 0.0;
        for (std::int64_t i = 0; i < pixels; ++i) mean += x[i * channels + c] / count;
        double variance = 0.0;
        for (std::int64_t i = 0; i < pixels; ++i) {
            const double distance = x[i * channels + c] - mean;
            variance += distance * distance / count;
        }
        out.mean.value.push_back(mean);
        variances.push_back(variance);
        unbiased.push_back(pixels == 1 ? 0.0 : variance * count / (count - 1.0));
    }
    // Sums in double of terms that are exact in double: the only error is the rounding to float32.
    const BatchNormStatistics rounded = running_statistics(out.mean.value, variances, params);
    out.mean = rounded.mean;
    out.inv_std = rounded.inv_std;
    out.unbiased_variance.value = unbiased;
    for (const double variance : unbiased) out.unbiased_variance.error.push_back(rounding(variance, 0));
    return out;
}

BatchNormStatistics running_statistics(const Values& mean, const Values& variance,
                                       const BatchNormParams& params) {
    BatchNormStatistics out;
    for (std::size_t c = 0; c < mean.size(); ++c) {
        out.mean.value.push_back(mean[c]);
        out.mean.error.push_back(rounding(std::abs(mean[c]), 0));
        const double inverse = 1.0 / std::sqrt(variance[c] + params.epsilon);
        out.inv_std.value.push_back(inverse);
        out.inv_std.error.push_back(rounding(inverse, 0));
    }
    return out;
}

Estimate moved(const Values& running, const Estimate& batch, const BatchNormParams& params) {
    Estimate out;
    for (std::size_t c = 0; c < running.size(); ++c) {
        const double kept = (1.0 - params.momentum) * running[c];
        const double added = params.momentum * batch.value[c];
        out.value.push_back(kept + added);
        out.error.push_back(rounding(std::abs(kept) + std::abs(added), 2) + params.momentum * batch.error[c]);
    }
    return out;
}

Estimate normalized(const Values& x, const BatchNormStatistics& statistics, const Values& scale,
                    const Values& shift, const Values& residual, Activation activation) {
    Estimate y;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const std::size_t c = i % scale.size();
        const double inverse = statistics.inv_std.value[c];
        const double distance = x[i] - statistics.mean.value[c];
        const double scaled = distance * inverse * scale[c];
        const double added = residual.empty() ? 0.0 : residual[i];
        const double z = scaled + shift[c] + added;
        const double error = rounding(std::abs(scaled) + std::abs(shift[c]) + std::abs(added), 3) +
                             std::abs(inverse * scale[c]) * statistics.mean.error[c] +
                             std::abs(distance * scale[c]) * statistics.inv_std.error[c];
        y.value.push_back(activate(activation, z));
        y.error.push_back(activation_error(activation, z, error));
    }
    return y;
}

BatchNormGradients batch_norm_backward(const Values& x, const Estimate& y, const Values& scale,
                                       const Values& mean, const Values& inv_std, Activation activation,
                                       const Values& dy) {
    const std::size_t channels = scale.size();
    const std::size_t pixels = x.size() / channels;
    const auto count = static_cast<double>(pixels);
    BatchNormGradients g{
        .dz = exactly(dy), .dx = exactly(dy), .dscale = exactly(Values(channels, 0.0)), .dshift = {}};
    g.dshift = g.dscale;
    Values dshift_magnitude(channels, 0.0), dscale_magnitude(channels, 0.0);
    const auto standard = [&](std::size_t i) { return (x[i] - mean[i % channels]) * inv_std[i % channels]; };
    for (std::size_t i = 0; i < x.size(); ++i) {
        const double dz = dy[i] * activation_slope(activation, y.value[i]);
        g.dz.value[i] = dz;
        g.dz.error[i] = std::abs(dy[i]) * activation_slope_change(activation, y.value[i]) * y.error[i] +
                        (is_rounded(activation) ? rounding(std::abs(dz), 0) : 0.0);
        const std::size_t c = i % channels;
        g.dshift.value[c] += dz;
        dshift_magnitude[c] += std::abs(dz);
        g.dshift.error[c] += g.dz.error[i];
        g.dscale.value[c] += dz * standard(i);
        dscale_magnitude[c] += std::abs(dz * standard(i));
        g.dscale.error[c] += std::abs(standard(i)) * g.dz.error[i];
    }
    for (std::size_t c = 0; c < channels; ++c) {
        g.dshift.error[c] += rounding(dshift_magnitude[c], 0);
        g.dscale.error[c] += rounding(dscale_magnitude[c], 0);
    }
    for (std::size_t i = 0; i < x.size(); ++i) {
        const std::size_t c = i % channels;
        const double factor = std::abs(scale[c] * inv_std[c]);
        const double offset = g.dshift.value[c] / count;
        const double slope = standard(i) * g.dscale.value[c] / count;
        g.dx.value[i] = scale[c] * inv_std[c] * (g.dz.value[i] - offset - slope);
        g.dx.error[i] = rounding(factor * (std::abs(g.dz.value[i]) + std::abs(offset) + std::abs(slope)), 3) +
                        factor * (g.dz.error[i] +
                                  (g.dshift.error[c] + std::abs(standard(i)) * g.dscale.error[c]) / count);
    }
    return g;
}

Estimate average_pool_forward(const Values& x, const Shape& shape, const PoolParams& params) {
    const std::int64_t area = params.height * params.width;
    Estimate y = exactly(Values(shape.elements() / area, 0.0));
    for_each_pooled(shape, params, [&](std::int64_t small, std::int64_t large) {
        y.value[small] += x[large] / static_cast<double>(area);
        y.error[small] += std::abs(x[large]) / static_cast<double>(area);
    });
    for (double& error : y.error) error = rounding(error, area);
    return y;
}

Estimate average_pool_backward(const Values& dy, const Shape& shape, const PoolParams& params) {
    Estimate dx = exactly(Values(shape.elements(), 0.0));
    for_each_pooled(shape, params, [&](std::int64_t small, std::int64_t large) {
        dx.value[large] = dy[small] / static_cast<double>(params.height * params.width);
        dx.error[large] = rounding(std::abs(dx.value[large]), 0);
    });
    return dx;
}

Values max_pool_forward(const Values& x, const Shape& shape, const PoolParams& params) {
    Values y(shape.elements() / (params.height * params.width), -INFINITY);
    for_each_pooled(shape, params, [&](std::int64_t small, std::int64_t large) {
        if (std::isnan(x[large]) || x[large] > y[small]) y[small] = x[large];
    });
    return y;
}

Values max_pool_backward(const Values& x, const Values& dy, const Shape& shape, const PoolParams& params) {
    Values largest = max_pool_forward(x, shape, params);
    Values dx(shape.elements(), 0.0);
    // Elements come row by row, so the first of equal elements comes first. Its maximum is then cleared, so
    // that no other element matches it.
    for_each_pooled(shape, params, [&](std::int64_t small, std::int64_t large) {
        if (x[large] != largest[small]) return;
        dx[large] = dy[small];
        largest[small] = NAN;
    });
    return dx;
}

Estimate sum(const Values& x, const Values& y) {
    Estimate out;
    for (std::size_t i = 0; i < x.size(); ++i) {
        out.value.push_back(x[i] + y[i]);
        out.error.push_back(rounding(std::abs(x[i]) + std::abs(y[i]), 0));
    }
    return out;
}

}  // namespace deepfreq::reference
