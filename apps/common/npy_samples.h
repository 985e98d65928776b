#pragma once

#include <filesystem>
#include <string>

#include "kernels/kernels.h"

namespace deepfreq {

/// A tensor [n,columns] from a file, with the memory of the device that it lies in.
struct LoadedTensor {
    Buffer memory;
    Tensor view;
    std::string description;  ///< one line: file, type and shape
};

/// The features of an .npy file: floats [n,d], or [n] with d = 1. They go to the device a few rows at a time,
/// so that they lie in memory once. Throws InputError naming what the file has in their place.
LoadedTensor load_features(Kernels& kernels, const std::filesystem::path& path);

/// The targets of an .npy file: floats [n,c], or [n] with c = 1; or integer labels [n], which become one-hot,
/// a column for each label that occurs. Throws InputError naming what the file has in their place, a label
/// below 0 among it.
LoadedTensor load_targets(Kernels& kernels, const std::filesystem::path& path);

}  // namespace deepfreq
