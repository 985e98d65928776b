#include "analysis/spectrum_probe.h"

#include <algorithm>

#include "analysis/activations.h"
#include "common/error.h"

namespace deepfreq {

SpectrumProbe::SpectrumProbe(Kernels& kernels, Network& network, const DeviceDataset& set,
                             ProbeOptions options)
    : kernels_(kernels), network_(network), options_(std::move(options)) {
    const std::int64_t n = options_.samples;
    if (n < 1 || n > set.samples())
        throw InputError("a probe of {} samples asked for, expected 1 to the {} there are", n, set.samples());
    inputs_ = set.inputs().slice(0, n);
    labels_ = set.targets().slice(0, n);
    std::int64_t widest = 0, widest_target = 0;
    for (const ProbedSet& probed : options_.sets) {
        widest = std::max(widest, network.width(probed.layer));
        if (probed.target) widest_target = std::max(widest_target, network.width(*probed.target));
    }
    rows_ = kernels.allocate(static_cast<std::size_t>(n * widest) * sizeof(float));
    outputs_ = kernels.allocate(static_cast<std::size_t>(n * widest_target) * sizeof(float));
}

// Collected anew for each use: a forward pass costs a few per cent of a spectrum, all layers at once much
// memory.
ConstTensor SpectrumProbe::features(int layer) {
    const Tensor rows = rows_.view<float>({options_.samples, network_.width(layer)});
    collect_activations(network_, inputs_, layer, rows);
    if (options_.normalize) kernels_.scale_columns_by_max_abs(rows);
    return rows;
}

ConstTensor SpectrumProbe::targets(const ProbedSet& set) {
    if (!set.target) return labels_;
    const Tensor outputs = outputs_.view<float>({options_.samples, network_.width(*set.target)});
    collect_activations(network_, inputs_, *set.target, outputs);
    return outputs;
}

// A curve that cannot be found is no end of the run: nothing of it is known.
CurveExtent SpectrumProbe::extent(const ProbedSet& set, const Warn& warn) {
    const ConstTensor y = targets(set);
    const ConstTensor x = features(set.layer);
    const double mean_squared_distance = 2.0 * kernels_.sum_of_squares(x) / static_cast<double>(x.rows());
    const auto lfr = [&](std::span<const double> widths) {
        return low_frequency_ratio(kernels_, x, y, widths, options_.filter).value;
    };
    try {
        return measure_extent(lfr, mean_squared_distance);
    } catch (const InputError& error) {
        warn(fmt::format("layer {}: {}", set.name, error.what()));
        return {};
    }
}

std::vector<LayerSpectrum> SpectrumProbe::measure(const Warn& warn) {
    std::vector<LayerSpectrum> spectra;
    const std::span<const ProbedSet> all(options_.sets);
    for (std::size_t first = 0; first < all.size();) {
        std::size_t end = first + 1;
        while (end < all.size() && all[end].target == all[first].target) ++end;
        measure_together(all.subspan(first, end - first), warn, spectra);
        first = end;
    }
    return spectra;
}

void SpectrumProbe::measure_together(std::span<const ProbedSet> sets, const Warn& warn,
                                     std::vector<LayerSpectrum>& spectra) {
    const bool automatic = options_.grid.spacing == FilterGridRequest::Spacing::Auto;
    std::vector<CurveExtent> extents;
    std::vector<double> widths;
    if (automatic) {
        extents.reserve(sets.size());
        for (const ProbedSet& set : sets) extents.push_back(extent(set, warn));
        if (std::ranges::none_of(extents, &CurveExtent::rises)) {
            warn(
                "nothing measured: LFR is constant in every layer, for its features or the targets are all "
                "alike");
            return;
        }
        CoveringGrid grid = covering_grid(extents);
        if (!grid.note.empty()) warn(grid.note);
        widths = std::move(grid.inv_delta);
    } else {
        widths = options_.grid.widths();
    }
    for (std::size_t i = 0; i < sets.size(); ++i) {
        LayerSpectrum s;
        s.set = sets[i];
        const ConstTensor y = targets(s.set);
        s.lfr = low_frequency_ratio(kernels_, features(s.set.layer), y, widths, options_.filter);
        s.rdf = ratio_density(s.lfr);
        s.peak = automatic ? find_peak(s.lfr, extents[i].floor, extents[i].ceiling) : find_peak(s.lfr);
        spectra.push_back(std::move(s));
    }
}

}  // namespace deepfreq
