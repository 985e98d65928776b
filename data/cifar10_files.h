#pragma once

#include <array>
#include <cstdint>
#include <filesystem>

#include "data/images.h"

namespace deepfreq {

/// The binary files: five for training, then the one for testing.
inline constexpr std::array<const char*, 6> cifar10_files = {"data_batch_1.bin", "data_batch_2.bin",
                                                             "data_batch_3.bin", "data_batch_4.bin",
                                                             "data_batch_5.bin", "test_batch.bin"};

/// Reads them from `folder`: each has `records` records of a label 0 … 9 and 3072 bytes, the red, green and
/// blue planes of 32×32 pixels. Checksums are the MD5 of the files; if they differ from the published ones
/// the sets are not called cifar10. Throws InputError naming the file, what was found and what was expected
/// when one is missing, truncated or too long, or has another label.
ImageSets read_cifar10(const std::filesystem::path& folder, std::int64_t records);

}  // namespace deepfreq
