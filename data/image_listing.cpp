#include "data/image_listing.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "common/error.h"

namespace deepfreq {
namespace {

namespace fs = std::filesystem;

bool is_image_name(const std::string& name) {
    std::string lower = name;
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    constexpr std::array<const char*, 3> extensions = {".png", ".jpg", ".jpeg"};
    return !name.starts_with('.') &&
           std::ranges::any_of(extensions, [&](const char* extension) { return lower.ends_with(extension); });
}

// The names of the folders in a folder, sorted.
std::vector<std::string> class_names(const fs::path& folder) {
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
        if (std::string name = entry.path().filename(); entry.is_directory() && !name.starts_with('.'))
            names.push_back(std::move(name));
    std::ranges::sort(names);
    return names;
}

std::vector<std::string> image_names(const fs::path& folder) {
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
        if (std::string name = entry.path().filename(); is_image_name(name) && !entry.is_directory())
            names.push_back(std::move(name));
    std::ranges::sort(names);
    return names;
}

// Size and date of a file; one that is gone counts for nothing, reading it will say so.
void add_status(const std::string& path, ImageListing& listing) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return;
    listing.total_bytes += static_cast<std::uint64_t>(status.st_size);
    listing.newest = std::max(listing.newest,
                              status.st_mtim.tv_sec * std::int64_t{1'000'000'000} + status.st_mtim.tv_nsec);
}

}  // namespace

ImageListing list_images(const fs::path& folder) {
    ImageListing listing;
    listing.folder = folder;
    listing.classes = class_names(folder);
    constexpr std::size_t most = 256;  // a label is a byte
    if (listing.classes.empty() || listing.classes.size() > most)
        throw InputError("{}: {} class folders found, 1 to {} expected", folder.string(),
                         listing.classes.size(), most);
    for (std::size_t label = 0; label < listing.classes.size(); ++label) {
        const fs::path class_folder = folder / listing.classes[label];
        const std::vector<std::string> names = image_names(class_folder);
        if (names.empty())
            throw InputError(
                "{}: no images found, at least one .png, .jpg or .jpeg file of this class expected",
                class_folder.string());
        for (const std::string& name : names) {
            std::string path = class_folder.string() + "/" + name;
            add_status(path, listing);
            listing.paths.push_back(std::move(path));
            listing.labels.push_back(static_cast<std::uint8_t>(label));
        }
    }
    return listing;
}

bool has_images(const fs::path& folder) {
    if (!fs::is_directory(folder)) return false;
    return std::ranges::any_of(class_names(folder),
                               [&](const std::string& name) { return !image_names(folder / name).empty(); });
}

}  // namespace deepfreq
