#include "analysis/spectrum.h"

#include <algorithm>
#include <cmath>

#include "common/error.h"

namespace deepfreq {
namespace {

FrequencyCurve lfr_of(MeasuringKernels& kernels, const SampleTensors& samples, std::span<const double> widths,
                      LowFrequencyParams filter) {
    const auto& [x, y, centred, scale] = samples;
    filter.scale = scale;
    return centred != nullptr ? low_frequency_ratio(kernels, x, *centred, widths, filter)
                              : low_frequency_ratio(kernels, x, y, widths, filter);
}

// A curve that cannot be found is no end of the run: nothing of it is known.
CurveExtent extent_of(MeasuringKernels& kernels, const std::string& name, const SampleTensors& samples,
                      const LowFrequencyParams& filter, const Warn& warn) {
    const double mean_squared_distance = 2.0 * kernels.sum_of_squares(samples.features, samples.scale) /
                                         static_cast<double>(samples.features.rows());
    const auto lfr = [&](std::span<const double> widths) {
        return lfr_of(kernels, samples, widths, filter).value;
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

/// Rows of the sample on which rises are looked for, where there are several times as many.
constexpr std::int64_t sampled_rows = 1024;
constexpr std::int64_t least_rows_to_sample = 4 * sampled_rows;

/// The extents of all sources.
struct Extents {
    std::vector<CurveExtent> of_source;
    bool sampled = false;  ///< some are those of a sample of rows
};

/// Of a sample of the rows where there are many, unless all are asked for.
Extents extents_of(MeasuringKernels& kernels, std::span<const SampleSource> sources,
                   const SpectrumOptions& options, bool all_rows, const Warn& warn) {
    Extents extents;
    for (const SampleSource& source : sources) {
        const SampleTensors samples = source.samples();
        LowFrequencyParams filter = options.filter;
        if (!all_rows && samples.features.rows() >= least_rows_to_sample) filter.rows.rows = sampled_rows;
        extents.sampled |= filter.rows.rows > 0;
        extents.of_source.push_back(extent_of(kernels, source.name, samples, filter, warn));
    }
    return extents;
}

Spectrum spectrum_of(FrequencyCurve lfr, const CurveExtent* extent) {
    Spectrum s;
    s.lfr = std::move(lfr);
    s.rdf = ratio_density(s.lfr);
    s.peak = extent != nullptr ? find_peak(s.lfr, extent->floor, extent->ceiling) : find_peak(s.lfr);
    return s;
}

/// One source on a grid made for its extent. Where that is a sample's, floor and ceiling are measured too.
Spectrum measure_on_grid(MeasuringKernels& kernels, const SampleSource& source,
                         const std::vector<double>& widths, const LowFrequencyParams& filter,
                         CurveExtent& extent, bool sampled) {
    if (!sampled || !extent.rises())
        return spectrum_of(lfr_of(kernels, source.samples(), widths, filter), &extent);
    std::vector<double> with_ends{0.0};
    with_ends.insert(with_ends.end(), widths.begin(), widths.end());
    for (const double beyond : {extent.top, extent.last})
        if (beyond > with_ends.back()) with_ends.push_back(beyond);
    std::vector<double> lfr = lfr_of(kernels, source.samples(), with_ends, filter).value;
    extent.floor = lfr.front();
    extent.ceiling = std::ranges::max(lfr);
    lfr.resize(widths.size() + 1);
    lfr.erase(lfr.begin());
    return spectrum_of({widths, std::move(lfr)}, &extent);
}

/// The grid fixed, or made for all sources.
std::vector<Spectrum> measure_fixed(MeasuringKernels& kernels, std::span<const SampleSource> sources,
                                    const SpectrumOptions& options, const Warn& warn) {
    const std::vector<double> widths = options.grid.widths();
    std::vector<Spectrum> spectra;
    for (const SampleSource& source : sources) {
        spectra.push_back(spectrum_of(lfr_of(kernels, source.samples(), widths, options.filter), nullptr));
        if (std::isnan(spectra.back().peak.inv_delta))
            warn(fmt::format(
                "{}: LFR does not rise on the grid from 1/delta = {:.4g} to {:.4g}; it has no peak there",
                source.name, widths.front(), widths.back()));
    }
    return spectra;
}

}  // namespace

std::vector<Spectrum> measure_spectra(MeasuringKernels& kernels, std::span<const SampleSource> sources,
                                      const SpectrumOptions& options, const Warn& warn) {
    if (options.grid.spacing != FilterGridRequest::Spacing::Auto)
        return measure_fixed(kernels, sources, options, warn);
    for (const bool all_rows : {false, true}) {
        // Nothing is told of a sample: if it misled, all rows are looked at.
        std::vector<std::string> told;
        auto [extents, sampled] = extents_of(kernels, sources, options, all_rows,
                                             [&](const std::string& text) { told.push_back(text); });
        if (!sampled) std::ranges::for_each(told, warn);
        if (std::ranges::none_of(extents, &CurveExtent::rises)) {
            if (sampled) continue;
            break;
        }
        const double margin = sampled ? sampling_margin : 1.0;
        const CoveringGrid grid =
            options.logarithmic ? log_covering_grid(extents, margin) : covering_grid(extents, margin);
        std::vector<Spectrum> spectra;
        bool shown = true;
        for (std::size_t i = 0; i < sources.size() && shown; ++i) {
            spectra.push_back(
                measure_on_grid(kernels, sources[i], grid.inv_delta, options.filter, extents[i], sampled));
            const Spectrum& s = spectra.back();
            shown =
                !sampled || (extents[i].rises() && shows_rise(s.lfr.inv_delta, s.lfr.value, extents[i].floor,
                                                              extents[i].ceiling, s.peak.inv_delta));
        }
        if (!shown) continue;
        if (!grid.note.empty()) warn(grid.note);
        return spectra;
    }
    return {};
}

}  // namespace deepfreq
