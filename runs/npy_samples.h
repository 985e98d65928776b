#pragma once

#include <filesystem>

#include "analysis/loaded_samples.h"

namespace deepfreq {

/// @name Samples from an .npy file (see analysis/loaded_samples.h)
/// @{

/// Floats [n,d], or [n] with d = 1. Throws InputError naming what the file has instead.
LoadedFeatures load_features(SpectrumBackend& backend, const std::filesystem::path& path,
                             ColumnScaling scaling);
/// Floats [n,c], or [n] with c = 1; or integer labels [n]. Throws InputError likewise.
LoadedTargets load_targets(SpectrumBackend& backend, const std::filesystem::path& path);
/// @}

}  // namespace deepfreq
