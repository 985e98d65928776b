#pragma once

#include <filesystem>

#include "data/dataset.h"

namespace deepfreq {

/// Reads a pair of IDX files (LeCun's format), each plain or gzip: images of 28×28 bytes (magic 2051)
/// and labels 0 … 9 (magic 2049). Pixels are scaled from 0 … 255 to [0, 1]; the checksum is "MD5 of
/// images, MD5 of labels", of the unpacked files. Throws InputError naming the file, what was found
/// and what was expected.
Dataset read_idx(const std::filesystem::path& images, const std::filesystem::path& labels);

}  // namespace deepfreq
