#include "data/image_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "common/error.h"
#include "data/files.h"
#include "data/image_cache.h"
#include "data/image_decoder.h"
#include "data/image_listing.h"
#include "data/places.h"

namespace deepfreq {
namespace {

namespace fs = std::filesystem;

// Both sets of a folder; `test` is empty when the folder has only one.
struct FolderListing {
    ImageListing train;
    ImageListing test;
};

// The result for one file: for a bad one, a sentence that names it.
struct Outcome {
    ImageHeader header;
    std::string bad;
};

FolderListing list_folder(const fs::path& folder) {
    if (!fs::is_directory(folder))
        throw InputError("{}: no such folder, one of images expected", folder.string());
    if (!fs::is_directory(folder / "train")) return {list_images(folder), {}};
    FolderListing listing{list_images(folder / "train"), {}};
    for (const char* name : {"val", "validation", "test"}) {
        if (!fs::is_directory(folder / name)) continue;
        listing.test = list_images(folder / name);
        if (listing.test.classes != listing.train.classes)
            throw InputError("{}: classes {} found, {} expected as in train", (folder / name).string(),
                             fmt::join(listing.test.classes, " "), fmt::join(listing.train.classes, " "));
        break;
    }
    return listing;
}

// Decodes one file into its place, unless it is bad or not of the expected size (0x0 never matches).
Outcome decode_file(const std::string& path, const ImageHeader& expected, std::uint8_t* pixels) {
    Outcome outcome;
    try {
        const std::vector<std::uint8_t> file = read_bytes(path);
        try {
            outcome.header = read_image_header(file);
            if (outcome.header.same_size(expected)) decode_image(file, pixels);
        } catch (const InputError& error) {
            outcome.bad = path + ": " + error.what();
        }
    } catch (const InputError& error) {
        outcome.bad = error.what();
    }
    return outcome;
}

// Index of the first file that contains an image, which sets the size expected of the others;
// 0 when there is none.
std::size_t first_image(const std::vector<std::string>& paths) {
    for (std::size_t i = 0; i < paths.size(); ++i) {
        const ImageHeader header = decode_file(paths[i], {}, nullptr).header;
        std::vector<std::uint8_t> pixels(static_cast<std::size_t>(header.height) *
                                         static_cast<std::size_t>(header.width) * 3);
        if (decode_file(paths[i], header, pixels.data()).bad.empty()) return i;
    }
    return 0;
}

// Throws when an image is bad and not skipped, when none is good, and when sizes differ. Returns a note of
// how many are skipped.
std::string judge(const fs::path& folder, const std::vector<std::string>& paths,
                  const std::vector<Outcome>& outcomes, std::size_t first, bool skip) {
    const ImageHeader& expected = outcomes[first].header;
    std::int64_t bad = 0;
    std::string named;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        const ImageHeader& found = outcomes[i].header;
        if (!outcomes[i].bad.empty()) {
            constexpr std::int64_t most_named = 3;
            if (bad++ < most_named) named += (named.empty() ? "" : "; ") + outcomes[i].bad;
        } else if (!found.same_size(expected)) {
            throw InputError("{}: an image of {}x{} found, {}x{} expected as {} has", paths[i], found.height,
                             found.width, expected.height, expected.width, paths[first]);
        }
    }
    if (bad == 0) return "";
    const std::string count = fmt::format("{} of {} images cannot be read", bad, outcomes.size());
    if (bad == std::ssize(outcomes)) throw InputError("{}: {} ({})", folder.string(), count, named);
    if (!skip) throw InputError(Remedy::SkipBadImages, "{}: {} ({})", folder.string(), count, named);
    return fmt::format(", without {} of {} images that cannot be read ({})", bad, outcomes.size(), named);
}

// Moves the good images together. Throws when a class has none left.
void remove_bad(ImageSet& set, const ImageListing& listing, const Outcome* outcomes) {
    const std::int64_t features = set.features();
    std::int64_t kept = 0;
    for (std::int64_t i = 0; i < set.samples(); ++i) {
        if (!outcomes[i].bad.empty()) continue;
        if (kept < i)
            std::copy_n(set.pixels.begin() + i * features, features, set.pixels.begin() + kept * features);
        set.labels[kept++] = set.labels[i];
    }
    set.pixels.resize(kept * features);
    set.labels.resize(kept);
    for (std::size_t label = 0; label < set.classes.size(); ++label)
        if (!std::ranges::binary_search(set.labels, label))
            throw InputError("{}: no image of this class can be read, at least one expected",
                             (listing.folder / set.classes[label]).string());
}

// Keeps one of the three equal values of each pixel.
void make_grey(ImageSet& set) {
    for (std::size_t i = 0; i < set.pixels.size() / 3; ++i) set.pixels[i] = set.pixels[3 * i];
    set.pixels.resize(set.pixels.size() / 3);
    set.pixels.shrink_to_fit();
    set.channels = 1;
}

// A set with room for its images, in colour.
ImageSet empty_set(const fs::path& folder, const ImageListing& listing, const ImageHeader& expected) {
    ImageSet set{.name = folder.filename().string(),
                 .height = expected.height,
                 .width = expected.width,
                 .channels = 3,
                 .classes = listing.classes,
                 .pixels = {},
                 .labels = listing.labels,
                 .checksum = {}};
    set.pixels.resize(static_cast<std::size_t>(set.samples() * set.features()));
    return set;
}

ImageSets decode_folder(const fs::path& folder, const FolderListing& listing, bool skip) {
    std::vector<std::string> paths = listing.train.paths;
    paths.insert(paths.end(), listing.test.paths.begin(), listing.test.paths.end());
    const std::size_t first = first_image(paths);
    const ImageHeader expected = decode_file(paths[first], {}, nullptr).header;
    ImageSets sets{empty_set(folder, listing.train, expected), empty_set(folder, listing.test, expected),
                   fmt::format("images of {}", folder.string())};

    const std::int64_t train = sets.train.samples();
    const std::int64_t features = sets.train.features();
    std::vector<Outcome> outcomes(paths.size());
#pragma omp parallel for schedule(dynamic, 64)
    for (std::int64_t i = 0; i < std::ssize(paths); ++i) {
        std::uint8_t* pixels = i < train ? sets.train.pixels.data() + i * features
                                         : sets.test.pixels.data() + (i - train) * features;
        outcomes[i] = decode_file(paths[i], expected, pixels);
    }

    sets.source += judge(folder, paths, outcomes, first, skip);
    remove_bad(sets.train, listing.train, outcomes.data());
    remove_bad(sets.test, listing.test, outcomes.data() + train);
    const bool grey = std::ranges::all_of(
        outcomes, [](const Outcome& outcome) { return outcome.header.grey || !outcome.bad.empty(); });
    for (ImageSet* set : {&sets.train, &sets.test}) {
        if (grey) make_grey(*set);
        set->checksum = md5(set->pixels) + ", " + md5(set->labels);
    }
    return sets;
}

std::string cache_key(const fs::path& folder, const FolderListing& listing, bool skip) {
    std::string key = folder.string();
    for (const ImageListing* set : {&listing.train, &listing.test})
        key += fmt::format("|{} {}", set->paths.size(), set->fingerprint);
    return key + (skip ? "|skipping" : "");
}

}  // namespace

bool has_image_folder(const fs::path& folder) {
    return has_images(folder / "train") || has_images(folder);
}

ImageSets load_image_folder(const fs::path& asked, const ImageFolderOptions& options) {
    const auto tell = [&](const std::string& line) {
        if (options.notice) options.notice(line);
    };
    std::error_code missing;
    fs::path folder = fs::canonical(asked, missing);  // one key and one name, for "." and "images/" too
    if (missing) throw InputError("{}: cannot be read: {}", asked.string(), missing.message());
    const FolderListing listing = list_folder(folder);
    for (const ImageListing* set : {&listing.train, &listing.test})
        for (const std::string& line : set->notices) tell(line);

    std::string key;
    fs::path cache;
    if (options.cache) try {
            key = cache_key(folder, listing, options.skip_bad_images);
            const std::string name = folder.string();
            cache = make_cache_folder("images") /
                    md5({reinterpret_cast<const std::uint8_t*>(name.data()), name.size()});
            if (auto images = read_image_cache(cache, key)) return std::move(*images);
        } catch (const InputError& error) {
            tell(fmt::format("images are not cached: {}", error.what()));
        }
    tell(fmt::format("decoding {} images of {}", listing.train.paths.size() + listing.test.paths.size(),
                     folder.string()));
    ImageSets images = decode_folder(folder, listing, options.skip_bad_images);
    if (!cache.empty()) try {
            write_image_cache(cache, key, images);
        } catch (const std::runtime_error& error) {
            tell(fmt::format("images are not cached: {}", error.what()));
        }
    return images;
}

}  // namespace deepfreq
