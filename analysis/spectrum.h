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
                        rdf_error = {};  ///< standard errors if rows were sampled; empty: all rows used
};

/// Samples on the device: features [n,d] and targets [n,c], or centred targets in place of the latter.
struct SampleTensors {
    ConstTensor features, targets;
    const CentredTargets* centred = nullptr;  ///< if not null, `targets` is not used
    ColumnScale scale = {};                   ///< of the features
};

/// A set to measure.
struct SampleSource {
    std::string name;  ///< in warnings: "layer 3" …
    /// Called before each use; the result is used only until any source is called again, so that all sources
    /// may share one buffer.
    std::function<SampleTensors()> samples;
};

struct SpectrumOptions {
    FilterGridRequest grid;
    /// Whether the automatic grid is logarithmic rather than evenly spaced. Functions of one variable need
    /// this: their LFR rises over decades.
    bool logarithmic = false;
    /// Number of rows, drawn at random from the seed, that stand for all (sampled_ratio.h); 0: all rows.
    std::int64_t rows = 0;
    std::uint64_t seed = 0;
    LowFrequencyParams filter = {};
    /// Called for each source with the measured share of its curve, like LowFrequencyParams::progress.
    std::function<void(const std::string& name, double share)> progress = {};
};

/// Called with one line for each part of a measurement that could not be obtained.
using Warn = std::function<void(const std::string&)>;

/// One spectrum per source, all on one grid of 1/delta; empty if the grid is automatic and LFR rises for none
/// of them. `warn` is told of curves whose rise cannot be found or is not on the fixed grid, and of a grid
/// that had to be coarser than it should be. Throws what low_frequency_ratio throws.
std::vector<Spectrum> measure_spectra(SpectrumBackend& backend, std::span<const SampleSource> sources,
                                      const SpectrumOptions& options, const Warn& warn);

}  // namespace deepfreq
