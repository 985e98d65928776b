#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "data/images.h"

namespace deepfreq {

/// Keeps image sets in one file under `key`, which identifies what they were made from. The file appears
/// whole or not at all. Throws InputError or RunError when it cannot be written.
void write_image_cache(const std::filesystem::path& path, const std::string& key, const ImageSets& images);

/// What was kept there, or nothing if there is no such file, its key differs, or it is
/// damaged (by its CRC-32).
std::optional<ImageSets> read_image_cache(const std::filesystem::path& path, const std::string& key);

}  // namespace deepfreq
