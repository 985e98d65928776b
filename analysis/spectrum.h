#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "analysis/filter_grid.h"
#include "analysis/low_frequency_ratio.h"

namespace deepfreq {

/// LFR and RDF of a set S = {(x_i, y_i)}.
struct Spectrum {
    FrequencyCurve lfr, rdf;
    Peak peak;
    std::vector<double> lfr_error = {},
                        rdf_error = {};  ///< standard errors of a sample of rows; empty: of all rows
};

/// Samples on the device: features [n,d] and targets [n,c], or targets far from 0 in their place.
struct SampleTensors {
    ConstTensor features, targets;
    const CentredTargets* centred = nullptr;  ///< if not null, `targets` is not used
    ColumnScale scale = {};                   ///< of the features
};

/// A set to measure.
struct SampleSource {
    std::string name;  ///< in warnings: "layer 3" …
    /// Called before each use; what it returns is used until any source is called again, so that one buffer
    /// may serve them all.
    std::function<SampleTensors()> samples;
};

struct SpectrumOptions {
    FilterGridRequest grid;
    /// The automatic grid is evenly spaced, or logarithmic, as functions of one variable need it: their LFR
    /// rises over decades.
    bool logarithmic = false;
    /// So many rows, drawn at random by the seed, stand for all (sampled_ratio.h); 0: all.
    std::int64_t rows = 0;
    std::uint64_t seed = 0;
    LowFrequencyParams filter = {};
    /// Told of each source how much of its curve is measured, as LowFrequencyParams::progress.
    std::function<void(const std::string& name, double share)> progress = {};
};

/// Is told, in one line each, what of a measurement could not be had.
using Warn = std::function<void(const std::string&)>;

/// One spectrum per source, all on one grid of 1/delta; none when the grid is automatic and LFR rises in none
/// of them. `warn` is told of a curve whose rise cannot be found or is not on the fixed grid, and of a grid
/// that had to be coarser than it should be. Throws what low_frequency_ratio throws.
std::vector<Spectrum> measure_spectra(SpectrumBackend& backend, std::span<const SampleSource> sources,
                                      const SpectrumOptions& options, const Warn& warn);

}  // namespace deepfreq
