#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/loaded_samples.h"
#include "analysis/spectrum.h"
#include "engine/device_dataset.h"
#include "engine/network.h"

namespace deepfreq {

/// One set to measure: {(f[layer](x_i), y_i)} (eq. 11), or {(f[layer](x_i), f[target](x_i))}, which shows
/// what the network makes of its features rather than what it should. Both indices are the paper's.
struct ProbedSet {
    int layer = 0;
    std::optional<int> target;
    bool softmax = false;  ///< of the target's rows: gives probabilities if the target is the output
    std::string name;      ///< of the features, in the column `layer` of the CSV files
};

struct ProbeOptions {
    std::vector<ProbedSet> sets;
    std::int64_t samples = 0;  ///< number of samples, taken from the start of the set
    FilterGridRequest grid;
    ColumnScaling scaling = ColumnScaling::MaxAbs;
    LowFrequencyParams filter;
};

/// LFR and RDF of one set.
struct LayerSpectrum : Spectrum {
    ProbedSet set;
};

/// Measures what each layer of a network leaves to learn. Holds one [samples, widest layer] buffer, a second
/// one if several layers are measured, and one for outputs that serve as targets. Features go from the layer
/// to the spectrum without leaving the device.
class SpectrumProbe {
  public:
    /// `backend`, `network` and `set` must outlive the probe. Throws InputError if the set has fewer samples
    /// than requested, and for a single sample that is to be centred.
    SpectrumProbe(Backend& backend, Network& network, const DeviceDataset& set, ProbeOptions options);

    /// One spectrum per set. Neighbouring sets with the same target, whose curves are compared, share a grid
    /// of 1/delta; if LFR rises for none of them, none is measured. `warn` receives the warnings of
    /// measure_spectra. Throws Interrupted when options.filter.stop says so.
    std::vector<LayerSpectrum> measure(const Warn& warn);

  private:
    void measure_together(std::span<const ProbedSet> sets, const Warn& warn,
                          std::vector<LayerSpectrum>& spectra);
    void collect(int layer, Tensor rows);
    ConstTensor features(int layer);
    ConstTensor targets(const ProbedSet& set);

    Backend& backend_;
    Network& network_;
    ConstTensor inputs_, labels_;
    ProbeOptions options_;
    Buffer rows_, outputs_;
    Buffer latest_;  ///< the features collected last, unscaled as from the network; empty for a single layer
    int latest_layer_ = 0;  ///< the layer of latest_, from 1 on; 0: latest_ holds no features
};

}  // namespace deepfreq
