#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace deepfreq {

/// The image files of a folder of class folders, sorted by class and then by name.
struct ImageListing {
    std::filesystem::path folder;
    std::vector<std::string> classes;
    std::vector<std::string> paths;
    std::vector<std::uint8_t> labels;  ///< [n], one per path
    std::string fingerprint;           ///< of every path, with its size and the dates of its last changes
    std::vector<std::string> notices;  ///< what was skipped, one line each
};

/// Lists `folder`/<class>/*.{png,jpg,jpeg}. It skips hidden names and, with a notice, folders added by
/// archive managers and disk stations (__MACOSX, @eaDir …), links to a folder above, and images of other
/// kinds. Throws InputError when there is no class, a class without images, or more than 256 classes.
ImageListing list_images(const std::filesystem::path& folder);

/// Whether any class folder of `folder` has an image.
bool has_images(const std::filesystem::path& folder);

}  // namespace deepfreq
