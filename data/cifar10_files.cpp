#include "data/cifar10_files.h"

#include <fmt/core.h>

#include <span>
#include <string_view>

#include "common/error.h"
#include "data/files.h"

namespace deepfreq {
namespace {

constexpr std::int64_t side = 32;
constexpr std::int64_t pixels_per_plane = side * side;
constexpr std::int64_t channels = 3;
constexpr std::int64_t record_bytes = 1 + channels * pixels_per_plane;
constexpr std::uint8_t largest_label = 9;

/// MD5 of the six files of cifar-10-binary.tar.gz.
constexpr std::string_view published_checksums =
    "5dd7e06a14cb22eb9f671a540d1b7c25, 5ea93a67294ea407fff1d09f752e9692, 942cd6a4bcdd0dd3c604fbe906cb4421, "
    "ae636b3ba5c66a11e91e8cb52e771fcb, 53f37980c15c3d472c316c40844f3f0d, 803d5f7f4d78ea53de84dbe85f74fb6d";

// Appends the records of one file to a set.
void append_file(const std::filesystem::path& path, std::int64_t records, ImageSet& set) {
    const std::vector<std::uint8_t> content = read_bytes(path);
    const std::int64_t found = std::ssize(content);
    const std::int64_t expected = records * record_bytes;
    if (found != expected)
        throw InputError("{}: {}: {} bytes found, {} expected for its {} records", path.string(),
                         found < expected ? "truncated" : "too long", found, expected, records);

    const std::int64_t before = set.samples();
    set.labels.resize(before + records);
    set.pixels.resize((before + records) * set.features());
    for (std::int64_t i = 0; i < records; ++i) {
        const std::uint8_t* record = content.data() + i * record_bytes;
        if (*record > largest_label)
            throw InputError("{}: label {} found in record {}, 0 to {} expected", path.string(), *record, i,
                             largest_label);
        set.labels[before + i] = *record;
        std::uint8_t* image = set.pixels.data() + (before + i) * set.features();
        for (std::int64_t pixel = 0; pixel < pixels_per_plane; ++pixel)
            for (std::int64_t c = 0; c < channels; ++c)
                image[pixel * channels + c] = record[1 + c * pixels_per_plane + pixel];
    }
    set.checksum += (before > 0 ? ", " : "") + md5(content);
}

ImageSet read_files(const std::filesystem::path& folder, std::span<const char* const> names,
                    std::int64_t records) {
    ImageSet set{
        .name = "cifar10",
        .height = side,
        .width = side,
        .channels = channels,
        .classes = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"},
        .pixels = {},
        .labels = {},
        .checksum = {}};
    set.pixels.reserve(names.size() * static_cast<std::size_t>(records * set.features()));
    for (const char* name : names) append_file(folder / name, records, set);
    return set;
}

}  // namespace

ImageSets read_cifar10(const std::filesystem::path& folder, std::int64_t records) {
    const std::span<const char* const> names = cifar10_files;
    ImageSets sets{read_files(folder, names.first(5), records), read_files(folder, names.last(1), records),
                   fmt::format("CIFAR-10 from {}", folder.string())};
    if (sets.train.checksum + ", " + sets.test.checksum != published_checksums) {
        sets.train.name = sets.test.name = "images in the format of CIFAR-10";
        sets.source = fmt::format("images from {}, which are not CIFAR-10: other checksums than published",
                                  folder.string());
    }
    return sets;
}

}  // namespace deepfreq
