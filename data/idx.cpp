#include "data/idx.h"

#include <algorithm>
#include <span>

#include "common/error.h"
#include "data/files.h"

namespace deepfreq {
namespace {

constexpr std::uint32_t images_magic = 2051;
constexpr std::uint32_t labels_magic = 2049;
constexpr std::uint32_t side = 28;
constexpr std::uint8_t largest_label = 9;

// An IDX file of bytes: header (big-endian words: magic, count, extents of one item) and items.
struct IdxFile {
    std::string name;
    std::vector<std::uint8_t> content;
    std::size_t header_bytes = 0;

    std::uint32_t header_word(std::size_t index) const {
        const std::uint8_t* byte = content.data() + 4 * index;
        return std::uint32_t{byte[0]} << 24 | std::uint32_t{byte[1]} << 16 | std::uint32_t{byte[2]} << 8 |
               byte[3];
    }
    std::uint32_t count() const { return header_word(1); }
    std::span<const std::uint8_t> items() const { return std::span(content).subspan(header_bytes); }
};

IdxFile open_idx(const std::filesystem::path& path, std::uint32_t magic, std::size_t header_words) {
    IdxFile file{path.string(), read_unpacked(path), 4 * header_words};
    const std::size_t size = file.content.size();
    if (size >= 4 && file.header_word(0) != magic)
        throw InputError("{}: magic number {} found, {} expected", file.name, file.header_word(0), magic);
    if (size < file.header_bytes)
        throw InputError("{}: truncated: {} bytes found, a header of {} expected", file.name, size,
                         file.header_bytes);
    if (file.count() == 0) throw InputError("{}: a count of 0 items found, at least 1 expected", file.name);
    return file;
}

// The count is what the header claims: it is only compared, and never used to allocate.
void check_size(const IdxFile& file, std::uint64_t item_bytes) {
    const std::uint64_t expected = file.header_bytes + file.count() * item_bytes;
    const std::uint64_t found = file.content.size();
    if (found < expected)
        throw InputError("{}: truncated: {} bytes found, {} expected for its {} items", file.name, found,
                         expected, file.count());
    if (found > expected)
        throw InputError("{}: too long: {} bytes found, {} expected for its {} items", file.name, found,
                         expected, file.count());
}

IdxFile open_images(const std::filesystem::path& path) {
    IdxFile file = open_idx(path, images_magic, 4);
    if (file.header_word(2) != side || file.header_word(3) != side)
        throw InputError("{}: images of {}x{} found, {}x{} expected", file.name, file.header_word(2),
                         file.header_word(3), side, side);
    check_size(file, side * side);
    return file;
}

IdxFile open_labels(const std::filesystem::path& path) {
    IdxFile file = open_idx(path, labels_magic, 2);
    check_size(file, 1);
    const auto labels = file.items();
    const auto wrong = std::ranges::find_if(labels, [](std::uint8_t label) { return label > largest_label; });
    if (wrong != labels.end())
        throw InputError("{}: label {} found at item {}, 0 to {} expected", file.name, *wrong,
                         wrong - labels.begin(), largest_label);
    return file;
}

}  // namespace

Dataset read_idx(const std::filesystem::path& images_path, const std::filesystem::path& labels_path) {
    const IdxFile images = open_images(images_path);
    const IdxFile labels = open_labels(labels_path);
    if (images.count() != labels.count())
        throw InputError("{}: {} labels found, {} expected (the images in {})", labels.name, labels.count(),
                         images.count(), images.name);

    return dataset_from_bytes("mnist", largest_label + 1, images.items(), labels.items(),
                              md5(images.content) + ", " + md5(labels.content));
}

}  // namespace deepfreq
