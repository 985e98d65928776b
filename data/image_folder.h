#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "data/images.h"

namespace deepfreq {

/// Options of load_image_folder().
struct ImageFolderOptions {
    bool skip_bad_images = false;  ///< go on without images that cannot be read, and say so in `source`
    bool cache = true;             ///< keep what was decoded in the cache folder
    /// Called with one line for each thing the user should know.
    std::function<void(const std::string& line)> notice = {};
};

/// Whether load_image_folder() would find images there.
bool has_image_folder(const std::filesystem::path& folder);

/// The PNG and JPEG images (.png, .jpg, .jpeg) of `folder`/train/<class>/ and, as `test`, of the same classes
/// in `folder`/val/, /validation/ or /test/ (the first that exists); without train/ those of
/// `folder`/<class>/, all as one set. Classes, and the images of a class, are sorted by name. Images are grey
/// when all are, otherwise coloured; all must have the same size.
///
/// Decoded once, on all cores: after that they are read from (the cache folder)/images/, as long as every
/// file keeps its path, size and dates. Holds n·h·w·3 bytes.
///
/// Throws InputError for a class without images, more than 256 classes, other classes in the test set, images
/// of different sizes, and images that cannot be read (counted, the first named) unless they are skipped.
ImageSets load_image_folder(const std::filesystem::path& folder, const ImageFolderOptions& options = {});

}  // namespace deepfreq
