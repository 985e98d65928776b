#include "analysis/spectrum_probe.h"

#include <algorithm>
#include <set>

#include "analysis/activations.h"
#include "common/error.h"

namespace deepfreq {

SpectrumProbe::SpectrumProbe(Backend& backend, Network& network, const DeviceDataset& set,
                             ProbeOptions options)
    : backend_(backend), network_(network), options_(std::move(options)) {
    const std::int64_t n = options_.samples;
    if (n < 1 || n > set.samples())
        throw InputError("a probe of {} samples asked for, expected 1 to the {} there are", n, set.samples());
    if (n == 1 && options_.scaling == ColumnScaling::Centred)
        throw InputError("one sample is to be centred, which leaves 0; expected at least 2");
    inputs_ = set.inputs().slice(0, n);
    labels_ = set.targets().slice(0, n);
    std::int64_t widest = 0, widest_target = 0;
    std::set<int> layers;
    for (const ProbedSet& probed : options_.sets) {
        widest = std::max(widest, network.width(probed.layer));
        layers.insert(network.layer_index(probed.layer));
        if (probed.target) widest_target = std::max(widest_target, network.width(*probed.target));
    }
    rows_ = backend.allocate(static_cast<std::size_t>(n * widest) * sizeof(float));
    if (layers.size() > 1) latest_ = backend.allocate(rows_.bytes());
    outputs_ = backend.allocate(static_cast<std::size_t>(n * widest_target) * sizeof(float));
}

// Starts from the previous layer where its features are available, since layers are mostly measured in order.
// Keeping the features of all layers at once would take much memory.
void SpectrumProbe::collect(int layer, Tensor rows) {
    const int index = network_.layer_index(layer);
    if (latest_.bytes() == 0 || latest_layer_ == 0 || latest_layer_ > index) {
        collect_activations(network_, inputs_, index, rows, options_.filter.stop);
    } else {
        const Tensor before = latest_.view<float>({options_.samples, network_.width(latest_layer_)});
        collect_activations(network_, before, index, rows, options_.filter.stop, latest_layer_);
    }
    if (latest_.bytes() == 0) return;
    backend_.copy(rows, latest_.view<float>(rows.shape));
    latest_layer_ = index;
}

ConstTensor SpectrumProbe::features(int layer) {
    const Tensor rows = rows_.view<float>({options_.samples, network_.width(layer)});
    collect(layer, rows);
    if (options_.scaling == ColumnScaling::Centred) backend_(CentreColumns{.x = rows});
    if (options_.scaling != ColumnScaling::None) backend_(ScaleColumnsByMaxAbs{.x = rows});
    return rows;
}

ConstTensor SpectrumProbe::targets(const ProbedSet& set) {
    if (!set.target) return labels_;
    const Tensor outputs = outputs_.view<float>({options_.samples, network_.width(*set.target)});
    collect_activations(network_, inputs_, *set.target, outputs, options_.filter.stop);
    if (set.softmax) backend_(Softmax{.z = outputs, .p = outputs});
    return outputs;
}

std::vector<LayerSpectrum> SpectrumProbe::measure(const Warn& warn) {
    latest_layer_ = 0;  // the network has been trained since
    std::vector<LayerSpectrum> spectra;
    const std::span<const ProbedSet> all(options_.sets);
    for (std::size_t first = 0; first < all.size();) {
        std::size_t end = first + 1;
        while (end < all.size() && all[end].target == all[first].target &&
               all[end].softmax == all[first].softmax)
            ++end;
        measure_together(all.subspan(first, end - first), warn, spectra);
        first = end;
    }
    return spectra;
}

void SpectrumProbe::measure_together(std::span<const ProbedSet> sets, const Warn& warn,
                                     std::vector<LayerSpectrum>& spectra) {
    std::vector<SampleSource> sources;
    for (const ProbedSet& set : sets)
        sources.push_back({"layer " + set.name, [this, &set] {
                               const ConstTensor y = targets(set);
                               return SampleTensors{features(set.layer), y};
                           }});
    std::vector<Spectrum> measured =
        measure_spectra(backend_, sources, {.grid = options_.grid, .filter = options_.filter}, warn);
    if (measured.empty())
        warn(
            "nothing measured: LFR is constant in every layer, for its features or the targets "
            "are all alike");
    for (std::size_t i = 0; i < measured.size(); ++i) spectra.push_back({std::move(measured[i]), sets[i]});
}

}  // namespace deepfreq
