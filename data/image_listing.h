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
    std::uint64_t total_bytes = 0;
    std::int64_t newest = 0;  ///< date of the last change of the newest file, in ns
};

/// Lists `folder`/<class>/*.{png,jpg,jpeg}; hidden names are passed over. Throws InputError when there is no
/// class, a class without images, or more than 256 classes.
ImageListing list_images(const std::filesystem::path& folder);

/// Whether any class folder of `folder` has an image.
bool has_images(const std::filesystem::path& folder);

}  // namespace deepfreq
