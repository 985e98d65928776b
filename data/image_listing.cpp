#include "data/image_listing.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <span>

#include "common/error.h"
#include "data/files.h"

namespace deepfreq {
namespace {

namespace fs = std::filesystem;

std::string lower_case(std::string name) {
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    return name;
}

bool ends_with_one_of(const std::string& name, std::span<const char* const> extensions) {
    const std::string lower = lower_case(name);
    return !name.starts_with('.') &&
           std::ranges::any_of(extensions, [&](const char* extension) { return lower.ends_with(extension); });
}

bool is_image_name(const std::string& name) {
    constexpr std::array<const char*, 3> extensions = {".png", ".jpg", ".jpeg"};
    return ends_with_one_of(name, extensions);
}

bool is_other_image_name(const std::string& name) {
    constexpr std::array<const char*, 9> extensions = {".webp", ".bmp",  ".gif",  ".tif", ".tiff",
                                                       ".ppm",  ".heic", ".avif", ".jxl"};
    return ends_with_one_of(name, extensions);
}

// Whether it is one of the names that programs add to a user's folders.
bool is_added_by_programs(const std::string& name) {
    constexpr std::array<const char*, 5> names = {"__MACOSX", "@eaDir", "#recycle", "lost+found",
                                                  "System Volume Information"};
    return std::ranges::find(names, name) != names.end();
}

// A link to the folder itself or to one above it, which would be traversed in circles.
bool leads_back(const fs::directory_entry& entry, const fs::path& folder) {
    std::error_code error;
    if (!entry.is_symlink(error)) return false;
    const fs::path target = fs::canonical(entry.path(), error);
    if (error) return false;
    const std::string above = target.string() + "/";
    return (fs::canonical(folder, error).string() + "/").starts_with(target == "/" ? "/" : above);
}

std::vector<fs::directory_entry> entries_of(const fs::path& folder) {
    std::error_code failure;
    std::vector<fs::directory_entry> entries;
    for (fs::directory_iterator entry(folder, failure), end; !failure && entry != end;
         entry.increment(failure))
        entries.push_back(*entry);
    if (failure) throw InputError("{}: cannot be read: {}", folder.string(), failure.message());
    return entries;
}

// The names of the folders in a folder, sorted; what is skipped is reported to `notices`.
std::vector<std::string> class_names(const fs::path& folder, std::vector<std::string>& notices) {
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : entries_of(folder)) {
        std::string name = entry.path().filename();
        std::error_code loop;  // of a link to itself
        if (name.starts_with('.') || !entry.is_directory(loop)) continue;
        if (is_added_by_programs(name) || leads_back(entry, folder))
            notices.push_back(entry.path().string() + ": passed over: no folder of a class");
        else
            names.push_back(std::move(name));
    }
    std::ranges::sort(names);
    std::ranges::sort(notices);
    return names;
}

struct ImageNames {
    std::vector<std::string> images;
    std::size_t others = 0;  ///< of other kinds
    std::string other;       ///< one of them
};

ImageNames image_names(const fs::path& folder) {
    ImageNames names;
    for (const fs::directory_entry& entry : entries_of(folder)) {
        std::string name = entry.path().filename();
        std::error_code loop;
        if (entry.is_directory(loop)) continue;
        if (is_image_name(name)) {
            names.images.push_back(std::move(name));
        } else if (is_other_image_name(name)) {
            ++names.others;
            names.other = std::max(names.other, name);
        }
    }
    std::ranges::sort(names.images);
    return names;
}

// Size and dates of a file; nothing if it no longer exists, since reading it will report that.
std::string status_of(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return "gone";
    return fmt::format("{} {}.{} {}.{}", status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                       status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
}

std::string fingerprint_of(const ImageListing& listing) {
    std::string all;
    for (const std::string& path : listing.paths)
        all += fmt::format("{} {} {}\n", path.size(), path, status_of(path));
    return md5({reinterpret_cast<const std::uint8_t*>(all.data()), all.size()});
}

}  // namespace

ImageListing list_images(const fs::path& folder) {
    ImageListing listing;
    listing.folder = folder;
    listing.classes = class_names(folder, listing.notices);
    constexpr std::size_t most = 256;  // a label is a byte
    if (listing.classes.empty() || listing.classes.size() > most)
        throw InputError("{}: {} class folders found, 1 to {} expected", folder.string(),
                         listing.classes.size(), most);
    for (std::size_t label = 0; label < listing.classes.size(); ++label) {
        const fs::path class_folder = folder / listing.classes[label];
        const ImageNames names = image_names(class_folder);
        if (names.images.empty())
            throw InputError(
                "{}: no images found{}, at least one .png, .jpg or .jpeg file of this class expected",
                class_folder.string(), names.others > 0 ? " but such as " + names.other : "");
        if (names.others > 0)
            listing.notices.push_back(
                fmt::format("{}: {} file{} such as {} passed over: only PNG and JPEG images are read",
                            class_folder.string(), names.others, names.others > 1 ? "s" : "", names.other));
        for (const std::string& name : names.images) {
            listing.paths.push_back(class_folder.string() + "/" + name);
            listing.labels.push_back(static_cast<std::uint8_t>(label));
        }
    }
    listing.fingerprint = fingerprint_of(listing);
    return listing;
}

bool has_images(const fs::path& folder) {
    if (!fs::is_directory(folder)) return false;
    std::vector<std::string> notices;
    return std::ranges::any_of(class_names(folder, notices), [&](const std::string& name) {
        return !image_names(folder / name).images.empty();
    });
}

}  // namespace deepfreq
