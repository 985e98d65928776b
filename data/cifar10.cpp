#include "data/cifar10.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "common/error.h"
#include "data/archive.h"
#include "data/cifar10_files.h"
#include "data/image_folder.h"
#include "data/places.h"

namespace deepfreq {
namespace {

namespace fs = std::filesystem;

constexpr const char* cache_name = "cifar10";
constexpr const char* batches_name = "cifar-10-batches-bin";
constexpr const char* archive_name = "cifar-10-binary.tar.gz";

// The folder that holds all the binary files: this one or one of its usual subfolders.
std::optional<fs::path> find_cifar10(const fs::path& folder) {
    for (const fs::path& candidate :
         {folder, folder / batches_name, folder / "cifar10", folder / "cifar10" / batches_name}) {
        std::error_code unreadable;  // a folder that we may not read has nothing for us
        if (std::ranges::all_of(cifar10_files,
                                [&](const char* name) { return fs::exists(candidate / name, unreadable); }))
            return candidate;
    }
    return std::nullopt;
}

std::string nothing_found(const std::string& folder) {
    return fmt::format("{}: no CIFAR-10 found there or in its {}/, the files {} expected", folder,
                       batches_name, fmt::join(cifar10_files, ", "));
}

ImageSets read_folder(const Cifar10Options& options) {
    if (const auto folder = find_cifar10(options.data)) return read_cifar10(*folder, options.batch_records);
    if (!has_image_folder(options.data))
        throw InputError("{}; nor PNG or JPEG images in folders of classes, below train/ or at once",
                         nothing_found(options.data));
    return load_image_folder(options.data,
                             {.skip_bad_images = options.skip_bad_images, .notice = options.notice});
}

// Fetches the archive, unpacks the files we read into the cache folder, and keeps only those. If the archive
// is already there, an earlier attempt could not unpack it, for lack of space, say.
void download_cifar10(const Cifar10Options& options) {
    const fs::path folder = make_cache_folder(cache_name) / batches_name;
    fs::create_directories(folder);
    const fs::path archive = folder.parent_path() / archive_name;
    if (!fs::exists(archive)) {
        std::vector<std::string> urls;
        for (const std::string& mirror : options.mirrors) urls.push_back(mirror + archive_name);
        if (options.notice)
            options.notice(
                fmt::format("downloading {} (170 MB) to {}", archive_name, archive.parent_path().string()));
        download(urls, archive, options.archive_md5, options.download, Md5Of::File);
    }
    const std::vector<std::string> names(cifar10_files.begin(), cifar10_files.end());
    unpack(archive, names, folder);
    fs::remove(archive);
}

// The fallback when CIFAR-10 is not available: says so, and why.
ImageSets fall_back(const Cifar10Options& options, const std::string& reason) {
    ImageSets images = synthetic_images(options.synthetic);
    images.source += fmt::format(", NOT CIFAR-10: {}", reason);
    return images;
}

ImageSets read_or_download(const Cifar10Options& options) {
    std::optional<fs::path> folder;
    fs::path cache;
    try {
        cache = cache_folder(cache_name);
        folder = find_cifar10(cache);
        if (!folder) {
            download_cifar10(options);
            folder = cache_folder(cache_name) / batches_name;
        }
    } catch (const std::runtime_error& error) {  // InputError, RunError and what std::filesystem throws
        // Another program may meanwhile have filled the cache and removed the archive that both shared.
        if (!cache.empty()) folder = find_cifar10(cache);
        if (!folder) return fall_back(options, error.what());
    }
    return read_cifar10(*folder, options.batch_records);
}

}  // namespace

bool takes_image_folder(const Cifar10Options& options) {
    return !options.data.empty() && options.data != "synthetic" && !find_cifar10(options.data) &&
           has_image_folder(options.data);
}

ImageSets load_cifar10(const Cifar10Options& options) {
    if (options.data == "synthetic") return synthetic_images(options.synthetic);
    if (!options.data.empty()) return read_folder(options);
    if (const std::string data = environment("DEEPFREQ_DATA"); !data.empty()) {
        if (const auto folder = find_cifar10(data)) return read_cifar10(*folder, options.batch_records);
        if (options.notice) options.notice("$DEEPFREQ_DATA = " + nothing_found(data));
    }
    return read_or_download(options);
}

}  // namespace deepfreq
