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

/// How each dimension of the features is scaled before the measurement.
enum class ColumnScaling {
    None,
    MaxAbs,   ///< divided by its largest magnitude, into [-1, 1]: the paper's text
    Centred,  ///< mean subtracted first, then the same: the paper's programs
};

/// "none", "max-abs" or "centred". Throws InputError for anything else.
ColumnScaling parse_column_scaling(std::string_view text);

/// Rows of double-precision numbers from any source.
struct RowSource {
    std::string name;  ///< in warnings
    std::int64_t rows = 0, columns = 0;
    /// Fills `to` with whole rows, from row `first` on.
    std::function<void(std::int64_t first, std::span<double> to)> read;
};

/// @name Samples from a file, a formula or an array
/// Rounding doubles to float32 preserves what LFR depends on: before they are rounded, offsets, which do not
/// change LFR, are subtracted, and scales are brought close to 1. Rows go to the device a few at a time, so
/// that the features are in memory only once.
/// @{

/// Features [n,d] on the device, divided by `unit`: the 1/delta of the original features, times unit^2, is
/// the corresponding 1/delta of these.
struct LoadedFeatures {
    Buffer memory;
    ConstTensor view;
    std::vector<double> offset, factor;  ///< how borrowed features are scaled
    double unit = 1.0;
    std::string warning;      ///< empty, or that float32 can hardly tell rows apart because one dwarfs them
    std::string description;  ///< one line: file, type and shape

    /// Must not outlive the features.
    ColumnScale scale() const { return {offset, factor}; }
};

/// Targets [n,c] on the device, divided by a constant, which does not change LFR.
struct LoadedTargets {
    Buffer memory, moved_memory;
    Tensor view;
    std::optional<CentredTargets> centred;  ///< if their mean is far from 0
    std::string description;

    const CentredTargets* centred_or_null() const { return centred ? &*centred : nullptr; }
};

/// Throws InputError if there is only one row and it is to be centred.
LoadedFeatures load_features(SpectrumBackend& backend, const RowSource& source, ColumnScaling scaling);
/// Gives the same spectra without copying: x holds the features in float32, and `source` reads the same
/// numbers. x must be in memory that the kernels can use, and outlive the result. Throws likewise.
LoadedFeatures borrow_features(const RowSource& source, ConstTensor x, ColumnScaling scaling);

LoadedTargets load_targets(SpectrumBackend& backend, const RowSource& source);
/// Integer labels, at least one, which become one-hot with one column per label that occurs. Throws
/// InputError for a label below 0.
LoadedTargets load_labels(SpectrumBackend& backend, const std::string& name,
                          std::span<const std::int64_t> labels);
/// @}

/// Features with their targets; both have the same number of rows.
struct LoadedSamples {
    std::string name;  ///< in warnings
    /// Called before each use; the result is used only until this function of any other set is called.
    std::function<const LoadedFeatures&()> features;
    const LoadedTargets& targets;
};

/// measure_spectra for loaded samples (at least one), over the 1/delta of the features before the division by
/// their unit. The automatic grid is logarithmic for a single column. `begin` is told what is measured next.
/// Throws InputError if the grid is automatic and LFR rises nowhere, or if the features' scales are too
/// different for one grid.
std::vector<Spectrum> measure_loaded(SpectrumBackend& backend, std::span<const LoadedSamples> samples,
                                     SpectrumOptions options, const Warn& warn,
                                     const std::function<void(const std::string&)>& begin = {});

}  // namespace deepfreq
