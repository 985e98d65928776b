#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace deepfreq {

/// The image files of a folder of class folders, in the order of their names within the order of the classes.
struct ImageListing {
    std::filesystem::path folder;
    std::vector<std::string> classes;
    std::vector<std::string> paths;
    std::vector<std::uint8_t> labels;  ///< [n], of each path
    std::string fingerprint;           ///< of every path, with its size and the dates of its last changes
    std::vector<std::string> notices;  ///< what was passed over, a line each
};

/// Lists `folder`/<class>/*.{png,jpg,jpeg}. Passed over are hidden names and, with a notice, folders that
/// archive managers and disk stations add (__MACOSX, @eaDir …), links to a folder above, and images of other
/// kinds. Throws InputError when there is no class, a class without images, or more than 256 classes.
ImageListing list_images(const std::filesystem::path& folder);

/// Whether any class folder of `folder` has an image.
bool has_images(const std::filesystem::path& folder);

}  // namespace deepfreq
