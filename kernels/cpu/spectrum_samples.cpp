#include "kernels/cpu/spectrum_samples.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "kernels/cpu/spectrum_progress.h"
#include "kernels/cpu/spectrum_vector.h"

namespace deepfreq::spectrum {
namespace {

constexpr int padded_to = 16;
constexpr int narrow_columns = 32;

/// Targets are scaled up to this value. A tile's sum of them cannot overflow, and a target down to 2^-40 of
/// the largest, times the smallest weight, is still a normal float.
constexpr double largest_target = 0x1p40;

/// Column of the single 1 among zeros, or -1.
int one_hot_class(const float* y, std::int64_t c) {
    int label = -1;
    for (std::int64_t k = 0; k < c; ++k) {
        if (y[k] == 0.0F) continue;
        if (y[k] != 1.0F || label >= 0) return -1;
        label = static_cast<int>(k);
    }
    return label;
}

/// The power of two just above x; 1 for 0.
double power_of_two_above(double x) {
    return x > 0.0 ? std::ldexp(1.0, std::ilogb(x) + 1) : 1.0;
}

/// The rows of the features, scaled as they are to be measured.
class ScaledRows {
  public:
    ScaledRows(ConstTensor x, const ColumnScale& scale) : x_(x), scale_(scale) {}

    std::int64_t rows() const { return x_.rows(); }
    std::int64_t columns() const { return x_.columns(); }
    /// What a thread needs to read rows.
    std::vector<float> buffer() const {
        return std::vector<float>(scale_.given() ? static_cast<std::size_t>(columns()) : 0);
    }
    /// Row i. Where rows are scaled, valid only until the next one is read.
    const float* row(std::int64_t i, std::vector<float>& buffer) const {
        const float* const original = x_.data + i * columns();
        if (!scale_.given()) return original;
        scale_.apply(original, buffer.data());
        return buffer.data();
    }

  private:
    ConstTensor x_;
    const ColumnScale& scale_;
};

/// Whether a loop over rows should go on, checked now and then.
bool going_on_at(std::int64_t row, Progress& progress) {
    return row % 64 != 0 || progress.going_on();
}

/// Column means, in double. Partial sums over blocks are added in order.
std::vector<double> column_means(const ScaledRows& x, Progress& progress) {
    const std::int64_t n = x.rows();
    const std::int64_t d = x.columns();
    const std::int64_t rows = std::max<std::int64_t>(block_rows, (n + 63) / 64);  // at most 64 partial sums
    const std::int64_t parts = (n + rows - 1) / rows;
    std::vector<double> partial(static_cast<std::size_t>(parts * d), 0.0);
#pragma omp parallel for schedule(static)
    for (std::int64_t part = 0; part < parts; ++part) {
        double* const sum = partial.data() + part * d;
        std::vector<float> buffer = x.buffer();
        for (std::int64_t i = part * rows; i < std::min(n, (part + 1) * rows) && going_on_at(i, progress);
             ++i) {
            const float* const row = x.row(i, buffer);
            for (std::int64_t k = 0; k < d; ++k) sum[k] += row[k];
        }
    }
    std::vector<double> mean(static_cast<std::size_t>(d), 0.0);
    for (std::int64_t part = 0; part < parts; ++part)
        for (std::int64_t k = 0; k < d; ++k) mean[k] += partial[part * d + k];
    for (double& value : mean) value /= static_cast<double>(n);
    return mean;
}

/// Length of the longest row of x - mean.
double longest_centred_row(const ScaledRows& x, const std::vector<double>& mean, Progress& progress) {
    const std::int64_t d = x.columns();
    double longest = 0.0;
#pragma omp parallel reduction(max : longest)
    {
        std::vector<float> buffer = x.buffer();
#pragma omp for schedule(static)
        for (std::int64_t i = 0; i < x.rows(); ++i) {
            if (!going_on_at(i, progress)) continue;
            const float* const row = x.row(i, buffer);
            double sum = 0.0;
#pragma omp simd reduction(+ : sum)
            for (std::int64_t k = 0; k < d; ++k) {
                const double value = row[k] - mean[k];
                sum += value * value;
            }
            longest = std::max(longest, sum);
        }
    }
    return std::sqrt(longest);
}

/// Fills sorted row i of x from its original.
void fill_row(Features& x, std::int64_t i, const float* original, const std::vector<double>& mean) {
    const double scale = 1.0 / x.unit;
    float* const row = x.row + i * x.stride;
    for (int k = 0; k < x.stride; ++k) row[k] = k < x.d ? static_cast<float>(original[k] * scale) : 0.0F;
    if (x.column != nullptr) {
        float* const column = x.column + i / block_rows * x.d * block_rows + i % block_rows;
        for (int k = 0; k < x.d; ++k) column[k * block_rows] = row[k];
    }
    if (x.centred == nullptr) return;
    float* const centred = x.centred + i / lanes * x.d * lanes + i % lanes;
    double norm = 0.0;
    for (int k = 0; k < x.d; ++k) {
        const auto value = static_cast<float>((original[k] - mean[static_cast<std::size_t>(k)]) * scale);
        centred[std::int64_t{k} * lanes] = value;
        norm += static_cast<double>(value) * static_cast<double>(value);
    }
    x.norm[i] = static_cast<float>(norm);
}

/// The runs of a class in the order of the rows.
void find_runs(const std::vector<int>& label, int classes, Targets& out) {
    out.classes = classes;
    out.total.resize(static_cast<std::size_t>(classes));
    for (std::int64_t i = 0; i < std::ssize(out.order); ++i) {
        const int of_row = label[out.order[i]];
        if (out.runs.empty() || out.runs.back().label != of_row) out.runs.push_back({i, i, of_row});
        out.runs.back().last = i + 1;
        out.run.push_back(static_cast<int>(out.runs.size()) - 1);
        out.total[of_row] += 1.0;
    }
}

/// The targets in the order of the rows, with a column of ones.
void fill_targets(ConstTensor y, Targets& out) {
    const std::int64_t n = y.rows();
    const std::int64_t c = y.columns();
    float largest = 0.0F;
    for (std::int64_t i = 0; i < n * c; ++i) largest = std::max(largest, std::fabs(y.data[i]));
    out.unit = power_of_two_above(largest) / largest_target;
    out.columns = static_cast<int>(c + 1);
    out.value.resize(static_cast<std::size_t>(n * (c + 1)));
    out.total.resize(static_cast<std::size_t>(c + 1));
    for (std::int64_t i = 0; i < n; ++i) {
        const float* const from = y.data + out.order[i] * c;
        float* const row = out.value.data() + i * (c + 1);
        for (std::int64_t k = 0; k < c; ++k) row[k] = static_cast<float>(from[k] / out.unit);
        row[c] = 1.0F;
        for (std::int64_t k = 0; k <= c; ++k) out.total[k] += static_cast<double>(row[k]);
    }
}

}  // namespace

Targets prepare_targets(ConstTensor y) {
    const std::int64_t n = y.rows();
    const std::int64_t c = y.columns();
    Targets out;
    out.order.resize(static_cast<std::size_t>(n));
    std::iota(out.order.begin(), out.order.end(), 0);

    std::vector<int> label(static_cast<std::size_t>(n));
    out.one_hot = true;
    for (std::int64_t i = 0; i < n && out.one_hot; ++i)
        out.one_hot = (label[i] = one_hot_class(y.data + i * c, c)) >= 0;
    if (out.one_hot)
        std::stable_sort(out.order.begin(), out.order.end(),
                         [&](std::int64_t i, std::int64_t j) { return label[i] < label[j]; });
    if (out.one_hot)
        find_runs(label, static_cast<int>(c), out);
    else
        fill_targets(y, out);
    return out;
}

Features prepare_features(SpectrumBackend& backend, ConstTensor x, const ColumnScale& scale,
                          const std::vector<std::int64_t>& order, const std::function<bool()>& stop) {
    Features out;
    out.n = x.rows();
    out.d = static_cast<int>(x.columns());
    out.stride = (out.d + padded_to - 1) / padded_to * padded_to;
    // Up to this many columns, differences cost no more than a product. Up to 512 rows, the cost is
    // negligible either way.
    const bool narrow = out.d <= narrow_columns;
    out.direct = narrow || out.n <= 512;

    const std::int64_t matrix = out.n * out.stride;
    const std::int64_t columns = narrow ? out.blocks() * out.d * block_rows : 0;
    const std::int64_t rows = out.blocks() * block_rows;
    const std::int64_t centred = out.direct ? 0 : rows * (out.d + 1);
    out.memory = backend.allocate(static_cast<std::size_t>(matrix + columns + centred) * sizeof(float));
    out.row = static_cast<float*>(out.memory.data());
    if (narrow) {
        out.column = out.row + matrix;
        std::fill_n(out.column, columns, 0.0F);
    }
    if (!out.direct) {
        out.centred = out.row + matrix;
        out.norm = out.centred + rows * out.d;
        const std::int64_t last_panel = out.n / lanes * lanes;
        std::fill(out.centred + last_panel * out.d, out.norm, 0.0F);
        std::fill_n(out.norm, rows, 0.0F);
    }

    const ScaledRows scaled(x, scale);
    Progress progress(stop);
    const std::vector<double> mean = column_means(scaled, progress);
    const double longest = longest_centred_row(scaled, mean, progress);
    out.unit = power_of_two_above(longest);
    out.largest_distance = 1.001 * std::pow(2.0 * longest / out.unit, 2.0);  // 1.001: allows for rounding
#pragma omp parallel
    {
        std::vector<float> buffer = scaled.buffer();
#pragma omp for schedule(static)
        for (std::int64_t i = 0; i < out.n; ++i)
            if (going_on_at(i, progress))
                fill_row(out, i, scaled.row(order[static_cast<std::size_t>(i)], buffer), mean);
    }
    progress.throw_if_stopped();
    return out;
}

std::size_t gathered_floats(const Features& x) {
    const std::int64_t columns = x.column != nullptr ? x.d : 0;
    const std::int64_t centred = x.centred != nullptr ? x.d + 1 : 0;
    return static_cast<std::size_t>(block_rows * (x.stride + columns + centred));
}

Features gather(const Features& x, std::span<const std::int64_t> rows, float* memory) {
    std::fill_n(memory, gathered_floats(x), 0.0F);  // beyond the rows
    Features out;
    out.n = std::ssize(rows);
    out.d = x.d;
    out.stride = x.stride;
    out.unit = x.unit;
    out.largest_distance = x.largest_distance;
    out.direct = x.direct;
    out.row = memory;
    float* const others = memory + std::int64_t{block_rows} * x.stride;
    if (x.column != nullptr) out.column = others;
    if (x.centred != nullptr) {
        out.centred = others;
        out.norm = others + std::int64_t{block_rows} * x.d;
    }
    for (std::int64_t i = 0; i < out.n; ++i) {
        const std::int64_t from = rows[static_cast<std::size_t>(i)];
        std::copy_n(x.row + from * x.stride, x.stride, out.row + i * out.stride);
        for (int k = 0; k < x.d; ++k) {
            if (x.column != nullptr) out.column[k * block_rows + i] = x.row[from * x.stride + k];
            if (x.centred != nullptr)
                out.centred[(i / lanes * x.d + k) * lanes + i % lanes] =
                    x.centred[(from / lanes * x.d + k) * lanes + from % lanes];
        }
        if (x.norm != nullptr) out.norm[i] = x.norm[from];
    }
    return out;
}

}  // namespace deepfreq::spectrum
