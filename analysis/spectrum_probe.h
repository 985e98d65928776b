#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/spectrum.h"
#include "engine/device_dataset.h"
#include "engine/network.h"

namespace deepfreq {

/// One set to measure: {(f[layer](x_i), y_i)} (eq. 11), or {(f[layer](x_i), f[target](x_i))}, which shows
/// what the network makes of its features rather than what it should. Both in the paper's indices.
struct ProbedSet {
    int layer = 0;
    std::optional<int> target;
    std::string name;  ///< of the features, in the column `layer` of the CSV files
};

struct ProbeOptions {
    std::vector<ProbedSet> sets;
    std::int64_t samples = 0;  ///< the first so many of the set
    FilterGridRequest grid;
    bool normalize = true;  ///< scale each dimension to [-1, 1] by its largest magnitude
    LowFrequencyParams filter;
};

/// LFR and RDF of one set.
struct LayerSpectrum : Spectrum {
    ProbedSet set;
};

/// Measures what each layer of a network leaves to learn. Holds one [samples, widest layer] buffer, and one
/// for outputs that are targets; features go from the layer to the spectrum without leaving the device.
class SpectrumProbe {
  public:
    /// The first three must outlive the probe. Throws InputError when the set has fewer samples than asked.
    SpectrumProbe(Kernels& kernels, Network& network, const DeviceDataset& set, ProbeOptions options);

    /// One spectrum a set. Neighbouring sets of one target, whose curves are compared, have one grid of
    /// 1/delta; none of them is measured when LFR rises in none. `warn` is told what measure_spectra warns
    /// of. Throws Interrupted when options.filter.stop says so.
    std::vector<LayerSpectrum> measure(const Warn& warn);

  private:
    void measure_together(std::span<const ProbedSet> sets, const Warn& warn,
                          std::vector<LayerSpectrum>& spectra);
    ConstTensor features(int layer);
    ConstTensor targets(const ProbedSet& set);

    Kernels& kernels_;
    Network& network_;
    ConstTensor inputs_, labels_;
    ProbeOptions options_;
    Buffer rows_, outputs_;
};

}  // namespace deepfreq
