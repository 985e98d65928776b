#include "analysis/spectrum.h"

#include <algorithm>
#include <cmath>

#include "common/error.h"

namespace deepfreq {
namespace {

FrequencyCurve lfr_of(Kernels& kernels, const SampleTensors& samples, std::span<const double> widths,
                      const LowFrequencyParams& filter) {
    const auto& [x, y, centred] = samples;
    return centred != nullptr ? low_frequency_ratio(kernels, x, *centred, widths, filter)
                              : low_frequency_ratio(kernels, x, y, widths, filter);
}

// A curve that cannot be found is no end of the run: nothing of it is known.
CurveExtent extent_of(Kernels& kernels, const SampleSource& source, const LowFrequencyParams& filter,
                      const Warn& warn) {
    const SampleTensors samples = source.samples();
    const double mean_squared_distance =
        2.0 * kernels.sum_of_squares(samples.features) / static_cast<double>(samples.features.rows());
    const auto lfr = [&](std::span<const double> widths) {
        return lfr_of(kernels, samples, widths, filter).value;
    };
    try {
        return samples.centred != nullptr
                   ? measure_extent(lfr, mean_squared_distance, samples.centred->smallest_rise())
                   : measure_extent(lfr, mean_squared_distance);
    } catch (const InputError& error) {
        warn(fmt::format("{}: {}", source.name, error.what()));
        return {};
    }
}

}  // namespace

std::vector<Spectrum> measure_spectra(Kernels& kernels, std::span<const SampleSource> sources,
                                      const SpectrumOptions& options, const Warn& warn) {
    const bool automatic = options.grid.spacing == FilterGridRequest::Spacing::Auto;
    std::vector<CurveExtent> extents;
    std::vector<double> widths;
    if (automatic) {
        for (const SampleSource& source : sources)
            extents.push_back(extent_of(kernels, source, options.filter, warn));
        if (std::ranges::none_of(extents, &CurveExtent::rises)) return {};
        CoveringGrid grid = options.logarithmic ? log_covering_grid(extents) : covering_grid(extents);
        if (!grid.note.empty()) warn(grid.note);
        widths = std::move(grid.inv_delta);
    } else {
        widths = options.grid.widths();
    }
    std::vector<Spectrum> spectra;
    for (std::size_t i = 0; i < sources.size(); ++i) {
        Spectrum s;
        s.lfr = lfr_of(kernels, sources[i].samples(), widths, options.filter);
        s.rdf = ratio_density(s.lfr);
        s.peak = automatic ? find_peak(s.lfr, extents[i].floor, extents[i].ceiling) : find_peak(s.lfr);
        if (!automatic && std::isnan(s.peak.inv_delta))
            warn(fmt::format(
                "{}: LFR does not rise on the grid from 1/delta = {:.4g} to {:.4g}; it has no peak there",
                sources[i].name, widths.front(), widths.back()));
        spectra.push_back(std::move(s));
    }
    return spectra;
}

}  // namespace deepfreq
