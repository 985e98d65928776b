#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/low_frequency_ratio.h"
#include "analysis/spectrum.h"
#include "kernels/spectrum_backend.h"

namespace deepfreq {

/// What becomes of each dimension of the features before they are measured.
enum class ColumnScaling {
    None,
    MaxAbs,   ///< divided by its largest magnitude, into [-1, 1]: the paper's text
    Centred,  ///< its mean subtracted first, then the same: the paper's programs
};

/// "none", "max-abs" or "centred". Throws InputError for anything else.
ColumnScaling parse_column_scaling(std::string_view text);

/// Rows of numbers in double precision, wherever they come from.
struct RowSource {
    std::string name;  ///< in warnings
    std::int64_t rows = 0, columns = 0;
    /// Fills `to`, whole rows, from row `first` on.
    std::function<void(std::int64_t first, std::span<double> to)> read;
};

/// @name Samples of a file, a formula or an array
/// What float32 keeps of numbers in double is what LFR depends on: offsets, which do not change it, are taken
/// off, and scales brought near 1, before they are rounded. Rows go to the device a few at a time, so that
/// the features lie in memory once.
/// @{

/// Features [n,d] on the device, divided by `unit`: 1/delta of the original belongs to theirs times unit^2.
struct LoadedFeatures {
    Buffer memory;
    ConstTensor view;
    std::vector<double> offset, factor;  ///< of borrowed features: how they are scaled
    double unit = 1.0;
    std::string warning;      ///< empty, or that float32 hardly tells the rows apart, for one dwarfs them
    std::string description;  ///< one line: file, type and shape

    /// May not outlive the features.
    ColumnScale scale() const { return {offset, factor}; }
};

/// Targets [n,c] on the device, divided by some number, which does not change LFR.
struct LoadedTargets {
    Buffer memory, moved_memory;
    Tensor view;
    std::optional<CentredTargets> centred;  ///< where their mean is far from 0
    std::string description;

    const CentredTargets* centred_or_null() const { return centred ? &*centred : nullptr; }
};

/// Throws InputError for a single row that is to be centred.
LoadedFeatures load_features(SpectrumBackend& backend, const RowSource& source, ColumnScaling scaling);
/// The same spectra without a copy, of features x in float32 whose numbers `source` reads; they lie in memory
/// that the kernels can use, and outlive what is returned. Throws likewise.
LoadedFeatures borrow_features(const RowSource& source, ConstTensor x, ColumnScaling scaling);

LoadedTargets load_targets(SpectrumBackend& backend, const RowSource& source);
/// Integer labels, which become one-hot, a column for each label that occurs. Throws InputError for a label
/// below 0; there is at least one.
LoadedTargets load_labels(SpectrumBackend& backend, const std::string& name,
                          std::span<const std::int64_t> labels);
/// @}

/// Features with their targets, as many rows.
struct LoadedSamples {
    std::string name;  ///< in warnings
    /// Called before each use; what it returns is used until that of any other is called.
    std::function<const LoadedFeatures&()> features;
    const LoadedTargets& targets;
};

/// measure_spectra of loaded samples, at least one, over 1/delta of the features as they were before they
/// were divided by their unit; the automatic grid is logarithmic for a single column. `begin` is told what is
/// measured next. Throws InputError when LFR rises nowhere and the grid is automatic, and where the features'
/// scales are too different for one grid.
std::vector<Spectrum> measure_loaded(SpectrumBackend& backend, std::span<const LoadedSamples> samples,
                                     SpectrumOptions options, const Warn& warn,
                                     const std::function<void(const std::string&)>& begin = {});

}  // namespace deepfreq
