#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "analysis/low_frequency_ratio.h"
#include "analysis/spectrum_probe.h"
#include "kernels/kernels.h"

namespace deepfreq {

/// Rows of numbers in double precision, wherever they come from.
struct RowSource {
    std::string name;  ///< in warnings
    std::int64_t rows = 0, columns = 0;
    /// Fills `to`, whole rows, from row `first` on.
    std::function<void(std::int64_t first, std::span<double> to)> read;
};

/// @name Samples of a file or a formula
/// What float32 keeps of numbers in double is what LFR depends on: offsets, which do not change it, are taken
/// off, and scales brought near 1, before they are rounded. Rows go to the device a few at a time, so that
/// the features lie in memory once.
/// @{

/// Features [n,d] on the device, divided by `unit`: 1/delta of the original belongs to theirs times unit^2.
struct LoadedFeatures {
    Buffer memory;
    Tensor view;
    double unit = 1.0;
    std::string warning;      ///< empty, or that float32 hardly tells the rows apart, for one dwarfs them
    std::string description;  ///< one line: file, type and shape
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
LoadedFeatures load_features(Kernels& kernels, const RowSource& source, ColumnScaling scaling);
LoadedTargets load_targets(Kernels& kernels, const RowSource& source);

/// The same of an .npy file: floats [n,d], or [n] with d = 1. Throws InputError naming what the file has in
/// their place.
LoadedFeatures load_features(Kernels& kernels, const std::filesystem::path& path, ColumnScaling scaling);
/// Likewise: floats [n,c], or [n] with c = 1; or integer labels [n], which become one-hot, a column for each
/// label that occurs. Throws InputError also for a label below 0.
LoadedTargets load_targets(Kernels& kernels, const std::filesystem::path& path);
/// @}

}  // namespace deepfreq
