#include "analysis/spectrum.h"

#include <algorithm>
#include <cmath>

#include "analysis/sampled_ratio.h"
#include "common/error.h"

namespace deepfreq {
namespace {

/// Measures curves as specified by the options, over all rows or a sample.
class Measurement {
  public:
    Measurement(SpectrumBackend& backend, const SpectrumOptions& options)
        : backend_(backend), options_(options) {}

    /// The whole curve of a source, with progress reports.
    SampledRatio curve(const SampleSource& source, std::span<const double> inv_deltas) const {
        LowFrequencyParams filter = options_.filter;
        if (options_.progress)
            filter.progress = [this, &source](double share) { options_.progress(source.name, share); };
        return curve(source.samples(), inv_deltas, options_.rows, filter);
    }

    /// The extent of a curve, from `rows` rows unless that is 0. Failing to find it does not end the run: its
    /// extent is then unknown.
    CurveExtent extent(const std::string& name, const SampleTensors& samples, std::int64_t rows,
                       const Warn& warn) const {
        const double mean_squared_distance =
            2.0 * backend_(SumOfSquares{.x = samples.features, .scale = samples.scale}) /
            static_cast<double>(samples.features.rows());
        const auto lfr = [&](std::span<const double> inv_deltas) {
            return curve(samples, inv_deltas, rows, options_.filter).lfr.value;
        };
        try {
            return samples.centred != nullptr
                       ? measure_extent(lfr, mean_squared_distance, samples.centred->smallest_rise())
                       : measure_extent(lfr, mean_squared_distance);
        } catch (const InputError& error) {
            warn(fmt::format("{}: {}", name, error.what()));
            return {};
        }
    }

  private:
    SampledRatio curve(const SampleTensors& samples, std::span<const double> inv_deltas, std::int64_t rows,
                       LowFrequencyParams filter) const {
        const auto& [x, y, centred, scale] = samples;
        filter.scale = scale;
        if (rows == 0)
            return {centred != nullptr ? low_frequency_ratio(backend_, x, *centred, inv_deltas, filter)
                                       : low_frequency_ratio(backend_, x, y, inv_deltas, filter)};
        const std::vector<std::int64_t> sample = random_rows(x.rows(), rows, options_.seed);
        return estimate_ratio(inv_deltas,
                              centred != nullptr
                                  ? row_energies(backend_, x, *centred, inv_deltas, sample, filter)
                                  : row_energies(backend_, x, y, inv_deltas, sample, filter),
                              x.rows());
    }

    SpectrumBackend& backend_;
    const SpectrumOptions& options_;
};

/// Number of rows used to look for rises, when there are several times as many.
constexpr std::int64_t few_rows = 1024;
constexpr std::int64_t least_rows_for_few = 4 * few_rows;

/// The extents of all sources.
struct Extents {
    std::vector<CurveExtent> of_source;
    bool of_few = false;  ///< some were measured on fewer rows than the curves will be
};

/// Measured on few rows where there are many, unless all are requested.
Extents extents_of(const Measurement& measurement, std::span<const SampleSource> sources,
                   const SpectrumOptions& options, bool all_rows, const Warn& warn) {
    Extents extents;
    for (const SampleSource& source : sources) {
        const SampleTensors samples = source.samples();
        const std::int64_t rows = options.rows > 0 ? options.rows : samples.features.rows();
        const bool few = !all_rows && rows >= least_rows_for_few;
        extents.of_few |= few;
        extents.of_source.push_back(
            measurement.extent(source.name, samples, few ? few_rows : options.rows, warn));
    }
    return extents;
}

Spectrum spectrum_of(SampledRatio measured, const CurveExtent* extent) {
    Spectrum s;
    s.lfr = std::move(measured.lfr);
    s.rdf = ratio_density(s.lfr);
    s.peak = extent != nullptr ? find_peak(s.lfr, extent->floor, extent->ceiling) : find_peak(s.lfr);
    s.lfr_error = std::move(measured.lfr_error);
    s.rdf_error = std::move(measured.slope_error);
    return s;
}

/// Keeps `count` of the numbers from `first` on; the vector may be empty.
void keep(std::vector<double>& numbers, std::size_t first, std::size_t count) {
    if (numbers.empty()) return;
    numbers.resize(first + count);
    numbers.erase(numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(first));
}

/// Measures one source on a grid made for its extent. If that extent comes from few rows, floor and ceiling
/// are measured too.
Spectrum measure_on_grid(const Measurement& measurement, const SampleSource& source,
                         const std::vector<double>& inv_deltas, CurveExtent& extent, bool of_few) {
    if (!of_few || !extent.rises()) return spectrum_of(measurement.curve(source, inv_deltas), &extent);
    std::vector<double> with_ends{0.0};
    with_ends.insert(with_ends.end(), inv_deltas.begin(), inv_deltas.end());
    for (const double beyond : {extent.top, extent.last})
        if (beyond > with_ends.back()) with_ends.push_back(beyond);
    SampledRatio measured = measurement.curve(source, with_ends);
    extent.floor = measured.lfr.value.front();
    extent.ceiling = std::ranges::max(measured.lfr.value);
    for (std::vector<double>* const of_width :
         {&measured.lfr.inv_delta, &measured.lfr.value, &measured.lfr_error})
        keep(*of_width, 1, inv_deltas.size());
    keep(measured.slope_error, 1, inv_deltas.size() - 1);
    return spectrum_of(std::move(measured), &extent);
}

/// On the fixed grid that was requested, the same for all sources.
std::vector<Spectrum> measure_fixed(const Measurement& measurement, std::span<const SampleSource> sources,
                                    const std::vector<double>& inv_deltas, const Warn& warn) {
    std::vector<Spectrum> spectra;
    for (const SampleSource& source : sources) {
        spectra.push_back(spectrum_of(measurement.curve(source, inv_deltas), nullptr));
        if (std::isnan(spectra.back().peak.inv_delta))
            warn(fmt::format(
                "{}: LFR does not rise on the grid from 1/delta = {:.4g} to {:.4g}; it has no peak there",
                source.name, inv_deltas.front(), inv_deltas.back()));
    }
    return spectra;
}

}  // namespace

std::vector<Spectrum> measure_spectra(SpectrumBackend& backend, std::span<const SampleSource> sources,
                                      const SpectrumOptions& options, const Warn& warn) {
    const Measurement measurement(backend, options);
    if (options.grid.spacing != FilterGridRequest::Spacing::Auto)
        return measure_fixed(measurement, sources, options.grid.inv_deltas(), warn);
    for (const bool all_rows : {false, true}) {
        // Warnings from few rows are held back: if few rows were misleading, all rows are measured.
        std::vector<std::string> told;
        auto [extents, of_few] = extents_of(measurement, sources, options, all_rows,
                                            [&](const std::string& text) { told.push_back(text); });
        if (!of_few) std::ranges::for_each(told, warn);
        if (std::ranges::none_of(extents, &CurveExtent::rises)) {
            if (of_few) continue;
            break;
        }
        const double margin = of_few ? sampling_margin : 1.0;
        const CoveringGrid grid =
            options.logarithmic ? log_covering_grid(extents, margin) : covering_grid(extents, margin);
        std::vector<Spectrum> spectra;
        bool shown = true;
        for (std::size_t i = 0; i < sources.size() && shown; ++i) {
            spectra.push_back(measure_on_grid(measurement, sources[i], grid.inv_delta, extents[i], of_few));
            const Spectrum& s = spectra.back();
            shown =
                !of_few || (extents[i].rises() && shows_rise(s.lfr.inv_delta, s.lfr.value, extents[i].floor,
                                                             extents[i].ceiling, s.peak.inv_delta));
        }
        if (!shown) continue;
        if (!grid.note.empty()) warn(grid.note);
        return spectra;
    }
    return {};
}

}  // namespace deepfreq
