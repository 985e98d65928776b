#include "analysis/loaded_samples.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "common/error.h"

namespace deepfreq {
namespace {

constexpr std::int64_t chunk =
    1 << 18;  // numbers transferred at once: 2 MiB of doubles, which stay in a cache

std::int64_t rows_at_once(std::int64_t rows, std::int64_t columns) {
    return std::clamp<std::int64_t>(chunk / columns, 1, rows);
}

/// Loads a tensor [rows,columns]; `fill(first, rows)` writes the rows from `first` on,
/// called in ascending order.
template <class Fill>
Buffer load(SpectrumBackend& backend, std::int64_t rows, std::int64_t columns, Fill fill) {
    Buffer memory = backend.allocate(static_cast<std::size_t>(rows * columns) * sizeof(float));
    const Tensor view = memory.view<float>({rows, columns});
    std::vector<float> some(static_cast<std::size_t>(rows_at_once(rows, columns) * columns));
    for (std::int64_t first = 0; first < rows; first += rows_at_once(rows, columns)) {
        const std::int64_t count = std::min(rows_at_once(rows, columns), rows - first);
        const std::span<float> now(some.data(), static_cast<std::size_t>(count * columns));
        fill(first, now);
        backend.upload(std::span<const float>(now), view.slice(first, count));
    }
    return memory;
}

/// Calls take(i, row) for each row of the source.
template <class Take>
void for_each_row(const RowSource& source, Take take) {
    std::vector<double> some(
        static_cast<std::size_t>(rows_at_once(source.rows, source.columns) * source.columns));
    for (std::int64_t first = 0; first < source.rows; first += rows_at_once(source.rows, source.columns)) {
        const std::int64_t count = std::min(rows_at_once(source.rows, source.columns), source.rows - first);
        source.read(first, std::span(some).first(static_cast<std::size_t>(count * source.columns)));
        for (std::int64_t i = 0; i < count; ++i) take(first + i, some.data() + i * source.columns);
    }
}

/// Calls take(column, value) for each number of the source.
template <class Take>
void for_each(const RowSource& source, Take take) {
    for_each_row(source, [&](std::int64_t, const double* row) {
        for (std::int64_t k = 0; k < source.columns; ++k) take(static_cast<std::size_t>(k), row[k]);
    });
}

/// The tensor that results from applying convert(i, row, converted) to each row.
template <class Convert>
Buffer load_converted(SpectrumBackend& backend, const RowSource& source, Convert convert) {
    std::vector<double> some;
    return load(backend, source.rows, source.columns, [&](std::int64_t first, std::span<float> rows) {
        some.resize(rows.size());
        source.read(first, some);
        for (std::int64_t at = 0; at < std::ssize(rows); at += source.columns)
            convert(first + at / source.columns, some.data() + at, rows.data() + at);
    });
}

/// A power of two that brings numbers of this magnitude near 1; 1 where float32 represents them well.
double power_of_two_for(double magnitude) {
    constexpr double well = 0x1p60;  // fourth powers of it are in range
    if (magnitude == 0.0 || (magnitude >= 1.0 / well && magnitude <= well)) return 1.0;
    return std::ldexp(1.0, std::clamp(std::ilogb(magnitude), -1000, 1000));
}

double median(std::vector<double> values) {
    const auto middle = values.begin() + std::ssize(values) / 2;
    std::ranges::nth_element(values, middle);
    return *middle;
}

/// Evenly spaced rows that represent all of them: at most 1001, fewer if there are many columns.
std::vector<double> sample_rows(const RowSource& source) {
    constexpr std::int64_t most = 1 << 24;  // numbers
    const std::int64_t count =
        std::min(source.rows, std::clamp<std::int64_t>(most / source.columns, 3, 1001));
    std::vector<double> sample(static_cast<std::size_t>(count * source.columns));
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t row = count > 1 ? i * (source.rows - 1) / (count - 1) : 0;
        source.read(row, std::span(sample).subspan(static_cast<std::size_t>(i * source.columns),
                                                   static_cast<std::size_t>(source.columns)));
    }
    return sample;
}

/// What to subtract from a column: the median, if nearly all numbers are far closer to it than to 0. Unlike a
/// mean, it is not shifted by outliers, and subtracting it costs few numbers any digits.
double offset_of(const std::vector<double>& column) {
    const double middle = median(column);
    const auto close = std::ranges::count_if(
        column, [&](double x) { return std::fabs(x - middle) < 0.25 * std::fabs(middle); });
    return static_cast<double>(close) >= 0.9 * static_cast<double>(column.size()) ? middle : 0.0;
}

/// How features become float32: (x - offset) * factor, per column.
struct Conversion {
    std::vector<double> offset, factor;
    double unit = 1.0;
    double typical = 0.0;  ///< median length of a row after conversion

    double operator()(std::size_t k, double x) const { return (x - offset[k]) * factor[k]; }
    /// Squared length of a row after conversion.
    double squares(const double* row) const {
        const double* const less = offset.data();
        const double* const times = factor.data();
        double sum = 0.0;
#pragma omp simd reduction(+ : sum)
        for (std::size_t k = 0; k < factor.size(); ++k) {
            const double converted = (row[k] - less[k]) * times[k];
            sum += converted * converted;
        }
        return sum;
    }
};

// With Centred, the offset of a column is its mean.
void centre(const RowSource& source, std::vector<double>& offset) {
    std::vector<double> mean(offset.size(), 0.0);
    for_each(source,
             [&](std::size_t k, double x) { mean[k] += (x - offset[k]) / static_cast<double>(source.rows); });
    for (std::size_t k = 0; k < offset.size(); ++k) offset[k] += mean[k];
}

/// The largest |x - less[k]| of each column.
std::vector<double> largest_magnitudes(const RowSource& source, const std::vector<double>& less) {
    std::vector<double> largest(less.size(), 0.0);
    double* const most = largest.data();
    const double* const offset = less.data();
    for_each_row(source, [&](std::int64_t, const double* row) {
#pragma omp simd
        for (std::size_t k = 0; k < less.size(); ++k) {
            const double magnitude = std::fabs(row[k] - offset[k]);
            most[k] = most[k] < magnitude ? magnitude : most[k];
        }
    });
    return largest;
}

Conversion choose_conversion(const RowSource& source, ColumnScaling scaling) {
    if (scaling == ColumnScaling::Centred && source.rows == 1)
        throw InputError("{}: one row found to be centred, which leaves 0; expected at least 2", source.name);
    const auto d = static_cast<std::size_t>(source.columns);
    const std::vector<double> sample = sample_rows(source);
    Conversion to{std::vector<double>(d), std::vector<double>(d, 1.0)};
    std::vector<double> column(sample.size() / d);
    for (std::size_t k = 0; k < d; ++k) {
        for (std::size_t i = 0; i < column.size(); ++i) column[i] = sample[i * d + k];
        to.offset[k] = offset_of(column);
    }
    if (scaling == ColumnScaling::Centred) centre(source, to.offset);
    if (scaling == ColumnScaling::None) {
        to.unit = power_of_two_for(std::ranges::max(largest_magnitudes(source, to.offset)));
        std::ranges::fill(to.factor, 1.0 / to.unit);
    } else {
        // The largest magnitude in the column itself, whatever its offset, unless the offset is its mean.
        const std::vector<double> largest = largest_magnitudes(
            source, scaling == ColumnScaling::Centred ? to.offset : std::vector<double>(d, 0.0));
        for (std::size_t k = 0; k < d; ++k) to.factor[k] = largest[k] > 0.0 ? 1.0 / largest[k] : 0.0;
    }
    std::vector<double> lengths;
    for (std::size_t i = 0; i < column.size(); ++i)
        lengths.push_back(std::sqrt(to.squares(sample.data() + i * d)));
    to.typical = median(std::move(lengths));
    return to;
}

/// Finds the longest row, and makes the warning for when the others are negligible beside it.
class LongestRow {
  public:
    void add(std::int64_t row, double squares) {
        if (squares > longest_) longest_ = squares, longest_row_ = row;
    }
    std::string warning(const std::string& name, double typical) {
        constexpr double worth_a_word = 1e6;  // the automatic grid covers 10^15 times the mean distance
        constexpr double too_far = 1e14;      // distances are 1e-28 of the largest: float32 ends at 1e-38
        const double ratio = std::sqrt(longest_) / typical;
        if (typical == 0.0 || !(ratio > worth_a_word)) return "";
        return fmt::format(
            "{}: row {} is {:.1g} times as long as a typical row: {}, rows of one scale expected", name,
            longest_row_, ratio,
            ratio > too_far ? "beside it float32 cannot tell the others apart"
                            : "the automatic grid may not reach to where the others' LFR rises");
    }

  private:
    std::int64_t longest_row_ = 0;
    double longest_ = 0.0;
};

/// What is known of the targets before they are loaded.
struct TargetSums {
    std::vector<double> mean;
    double mean_length = 0.0;              ///< |mean|
    double step = 0.0;                     ///< root mean square over the rows after subtracting the mean
    double largest = 0.0, farthest = 0.0;  ///< magnitude of a number, before and after subtracting it
};

TargetSums sums_of(const RowSource& source) {
    TargetSums sums{std::vector<double>(static_cast<std::size_t>(source.columns), 0.0)};
    const auto n = static_cast<double>(source.rows);
    for_each(source, [&](std::size_t k, double y) {
        sums.mean[k] += y / n;
        sums.largest = std::max(sums.largest, std::fabs(y));
    });
    for (const double m : sums.mean) sums.mean_length = std::hypot(sums.mean_length, m);
    double root = 0.0;  // root of the sum of squares, which may overflow double
    for_each(source, [&](std::size_t k, double y) {
        const double z = y - sums.mean[k];
        sums.farthest = std::max(sums.farthest, std::fabs(z));
        root = std::hypot(root, z);
    });
    sums.step = root / std::sqrt(n);
    return sums;
}

}  // namespace

ColumnScaling parse_column_scaling(std::string_view text) {
    if (text == "none") return ColumnScaling::None;
    if (text == "max-abs") return ColumnScaling::MaxAbs;
    if (text == "centred") return ColumnScaling::Centred;
    throw InputError("the scaling of features is '{}', expected max-abs, centred or none", text);
}

LoadedFeatures load_features(SpectrumBackend& backend, const RowSource& source, ColumnScaling scaling) {
    const Conversion to = choose_conversion(source, scaling);
    LongestRow longest;
    LoadedFeatures loaded;
    loaded.memory = load_converted(backend, source, [&](std::int64_t i, const double* row, float* converted) {
        for (std::size_t k = 0; k < to.factor.size(); ++k) converted[k] = static_cast<float>(to(k, row[k]));
        longest.add(i, to.squares(row));
    });
    loaded.view = loaded.memory.view<float>({source.rows, source.columns});
    loaded.unit = to.unit;
    loaded.warning = longest.warning(source.name, to.typical);
    return loaded;
}

LoadedFeatures borrow_features(const RowSource& source, ConstTensor x, ColumnScaling scaling) {
    Conversion to = choose_conversion(source, scaling);
    LongestRow longest;
    for_each_row(source, [&](std::int64_t i, const double* row) { longest.add(i, to.squares(row)); });
    LoadedFeatures loaded;
    loaded.view = x;
    loaded.unit = to.unit;
    loaded.warning = longest.warning(source.name, to.typical);
    loaded.offset = std::move(to.offset);
    loaded.factor = std::move(to.factor);
    return loaded;
}

LoadedTargets load_targets(SpectrumBackend& backend, const RowSource& source) {
    const TargetSums sums = sums_of(source);
    const double step = sums.step;
    LoadedTargets loaded;
    const auto load_as = [&](double unit, auto convert) {
        const auto c = static_cast<std::size_t>(source.columns);
        return load_converted(backend, source, [=](std::int64_t, const double* row, float* converted) {
            for (std::size_t k = 0; k < c; ++k) converted[k] = static_cast<float>(convert(k, row[k]) / unit);
        });
    };
    const bool far_from_0 = sums.mean_length > 3.0 * step && step > 0.0;
    if (!far_from_0) {
        loaded.memory = load_as(power_of_two_for(sums.largest), [](std::size_t, double y) { return y; });
        loaded.view = loaded.memory.view<float>({source.rows, source.columns});
        return loaded;
    }
    const double unit = power_of_two_for(sums.farthest);
    const auto centred = [&](std::size_t k, double y) { return y - sums.mean[k]; };
    loaded.memory = load_as(unit, centred);
    loaded.moved_memory = load_as(unit, [&](std::size_t k, double y) {
        return centred(k, y) + step * sums.mean[k] / sums.mean_length;
    });
    loaded.view = loaded.memory.view<float>({source.rows, source.columns});
    loaded.centred = CentredTargets{loaded.view, loaded.moved_memory.view<float>(loaded.view.shape),
                                    sums.mean_length / unit, step / unit};
    return loaded;
}

LoadedTargets load_labels(SpectrumBackend& backend, const std::string& name,
                          std::span<const std::int64_t> labels) {
    if (const auto least = std::ranges::min_element(labels); *least < 0)
        throw InputError("{}: label {} found at row {}, labels of at least 0 expected", name, *least,
                         least - labels.begin());
    std::vector<std::int64_t> classes(labels.begin(), labels.end());
    std::ranges::sort(classes);
    classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
    const std::size_t c = classes.size();
    const Shape shape{std::ssize(labels), static_cast<std::int64_t>(c)};
    LoadedTargets loaded;
    loaded.memory = load(backend, shape[0], shape[1], [&](std::int64_t first, std::span<float> rows) {
        std::ranges::fill(rows, 0.0F);
        for (std::size_t i = 0; i < rows.size() / c; ++i) {
            const std::int64_t label = labels[static_cast<std::size_t>(first) + i];
            const auto column = std::ranges::lower_bound(classes, label) - classes.begin();
            rows[i * c + static_cast<std::size_t>(column)] = 1.0F;
        }
    });
    loaded.view = loaded.memory.view<float>(shape);
    return loaded;
}

namespace {

/// Converts a spectrum over 1/delta of features that were divided by `unit` to that of the original ones.
Spectrum in_units_of(double unit, Spectrum s) {
    const double factor = 1.0 / (unit * unit);
    for (FrequencyCurve* const curve : {&s.lfr, &s.rdf})
        for (double& inv_delta : curve->inv_delta) inv_delta *= factor;
    for (std::vector<double>* const slopes : {&s.rdf.value, &s.rdf_error})
        for (double& density : *slopes) density /= factor;
    s.peak.inv_delta *= factor;
    s.peak.rdf /= factor;
    for (double* const width : {&s.peak.rise10, &s.peak.rise50, &s.peak.rise90}) *width *= factor;
    return s;
}

}  // namespace

std::vector<Spectrum> measure_loaded(SpectrumBackend& backend, std::span<const LoadedSamples> samples,
                                     SpectrumOptions options, const Warn& warn,
                                     const std::function<void(const std::string&)>& begin) {
    const LoadedFeatures& first = samples.front().features();
    const double unit = first.unit;
    // LFR of a function of one variable rises over several decades.
    options.logarithmic = first.view.columns() == 1;
    std::vector<SampleSource> sources;
    for (const LoadedSamples& one : samples)
        sources.push_back({one.name, [&] {
                               if (begin) begin(one.name);
                               const LoadedFeatures& features = one.features();
                               if (features.unit != unit)
                                   throw InputError(
                                       "{} and {}: features about {:.0e} times as large found, features of "
                                       "one scale expected, or such that are scaled by column",
                                       samples.front().name, one.name, features.unit / unit);
                               return SampleTensors{features.view, one.targets.view,
                                                    one.targets.centred_or_null(), features.scale()};
                           }});
    options.grid.lo *= unit * unit;
    options.grid.hi *= unit * unit;
    for (double& inv_delta : options.grid.listed) inv_delta *= unit * unit;
    std::vector<std::string> warnings;
    std::vector<Spectrum> spectra = measure_spectra(
        backend, sources, options, [&](const std::string& line) { warnings.push_back(line); });
    if (spectra.empty())
        throw InputError("{}", warnings.empty()
                                   ? "nothing measured: LFR rises nowhere; features and targets that differ "
                                     "from sample to sample expected, or a fixed grid of 1/delta"
                                   : warnings.front());
    std::ranges::for_each(warnings, warn);
    for (Spectrum& spectrum : spectra) spectrum = in_units_of(unit, std::move(spectrum));
    return spectra;
}

}  // namespace deepfreq
