#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "analysis/filter_grid.h"
#include "analysis/low_frequency_ratio.h"
#include "engine/device_dataset.h"
#include "engine/network.h"

namespace deepfreq {

struct ProbeOptions {
    std::vector<int> layers;   ///< in the paper's indices
    std::int64_t samples = 0;  ///< the first so many of the set
    FilterGridRequest grid;
    bool normalize = true;  ///< scale each dimension to [-1, 1] by its largest magnitude
    LowFrequencyParams filter;
};

/// LFR and RDF of S[l] = {(f[l](x_i), y_i)} (eq. 11).
struct LayerSpectrum {
    int layer = 0;
    FrequencyCurve lfr, rdf;
    Peak peak;
};

/// Measures what each layer of a network leaves to learn. Holds one [samples, widest layer] buffer; features
/// go from the layer to the spectrum without leaving the device.
class SpectrumProbe {
  public:
    /// The first three must outlive the probe. Throws InputError when the set has fewer samples than asked.
    SpectrumProbe(Kernels& kernels, Network& network, const DeviceDataset& set, ProbeOptions options);

    /// One spectrum a layer, all on one grid of 1/delta; none when no layer's LFR rises anywhere. `warn` is
    /// told of that, and of a grid that had to be coarser than it should be.
    std::vector<LayerSpectrum> measure(const std::function<void(const std::string&)>& warn);

  private:
    ConstTensor features(int layer);
    CurveExtent extent(int layer);

    Kernels& kernels_;
    Network& network_;
    ConstTensor inputs_, targets_;
    ProbeOptions options_;
    Buffer rows_;
};

}  // namespace deepfreq
