#include "data/image_decoder.h"

#define STBI_NO_STDIO
#include <stb/stb_image.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <memory>

#include "common/error.h"

namespace deepfreq {
namespace {

constexpr std::size_t largest = std::numeric_limits<int>::max();  // what stb_image can count

int length_of(std::span<const std::uint8_t> file) {
    if (file.size() > largest) throw InputError("{} bytes found, at most {} expected", file.size(), largest);
    return static_cast<int>(file.size());
}

// Whether the file is a JPEG one that was cut short, which stb_image would fill up with grey: its last image
// data (FF DA …) must have an end (FF D9).
bool cut_jpeg(std::span<const std::uint8_t> file) {
    constexpr std::array<std::uint8_t, 2> start = {0xFF, 0xD8};
    constexpr std::array<std::uint8_t, 2> data = {0xFF, 0xDA};
    constexpr std::array<std::uint8_t, 2> end = {0xFF, 0xD9};
    if (file.size() < 2 || !std::ranges::equal(file.first(2), start)) return false;
    const auto last_data = std::find_end(file.begin(), file.end(), data.begin(), data.end());
    return std::search(last_data, file.end(), end.begin(), end.end()) == file.end();
}

// A word of a PNG file, most significant byte first.
std::uint32_t word_at(std::span<const std::uint8_t> file, std::size_t at) {
    return std::uint32_t{file[at]} << 24 | std::uint32_t{file[at + 1]} << 16 |
           std::uint32_t{file[at + 2]} << 8 | file[at + 3];
}

// Whether the first chunk of a PNG file is CgBI: Xcode swaps red and blue in such files.
bool is_xcode_png(std::span<const std::uint8_t> file) {
    constexpr std::array<std::uint8_t, 4> type = {'C', 'g', 'B', 'I'};
    constexpr std::size_t at = 12;  // behind the signature and the chunk's length
    return file.size() >= at + type.size() && std::ranges::equal(file.subspan(at, type.size()), type);
}

// What is wrong with the chunks of a PNG file, which stb_image does not check: length, type, data, CRC-32 of
// type and data; the last is IEND. Nothing if all is well or the file is no PNG.
const char* png_damage(std::span<const std::uint8_t> file) {
    constexpr std::array<std::uint8_t, 8> signature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    constexpr std::uint32_t end_type = 0x49454E44;  // IEND
    constexpr std::size_t frame = 12;               // of a chunk: all but its data
    if (file.size() < signature.size() || !std::ranges::equal(file.first(signature.size()), signature))
        return nullptr;
    std::size_t at = signature.size();
    std::uint32_t type = 0;
    while (type != end_type) {
        if (file.size() - at < frame || word_at(file, at) > file.size() - at - frame) return "cut short";
        const std::size_t length = word_at(file, at);
        type = word_at(file, at + 4);
        if (crc32_z(0, file.data() + at + 4, length + 4) != word_at(file, at + 8 + length))
            return "wrong CRC-32";
        at += frame + length;
    }
    return nullptr;
}

// Throws when the extents claim more pixels than the file can hold, before memory is asked for them. Deflate
// makes at most 1032 bytes of one, and a PNG pixel has at least a bit. A JPEG file has at least a bit for 64
// values.
void check_size(std::span<const std::uint8_t> file, const ImageHeader& header) {
    constexpr double most_pixels_per_byte = 1032.0 * 8.0;
    const double claimed = static_cast<double>(header.width) * header.height;
    if (claimed > most_pixels_per_byte * static_cast<double>(file.size()))
        throw InputError("a header of {}x{} pixels found, which {} bytes cannot hold", header.height,
                         header.width, file.size());
}

}  // namespace

ImageHeader read_image_header(std::span<const std::uint8_t> file) {
    if (file.empty()) throw InputError("0 bytes found, a PNG or JPEG image expected");
    ImageHeader header;
    int channels = 0;
    if (!stbi_info_from_memory(file.data(), length_of(file), &header.width, &header.height, &channels))
        throw InputError("no PNG or JPEG image found ({}), one expected", stbi_failure_reason());
    if (static_cast<double>(header.width) * header.height * 3.0 > static_cast<double>(largest))
        throw InputError("an image of {}x{} found, at most {} bytes expected", header.height, header.width,
                         largest);
    check_size(file, header);
    if (cut_jpeg(file))
        throw InputError("a JPEG image cut short after {} bytes found, its end expected", file.size());
    if (is_xcode_png(file))
        throw InputError(
            "a PNG image in Xcode's own form (CgBI) found, a standard one expected (on a Mac: xcrun pngcrush "
            "-revert-iphone-optimizations)");
    if (const char* damage = png_damage(file))
        throw InputError("a damaged PNG image found ({}), a whole one expected", damage);
    header.grey = channels < 3;
    return header;
}

void decode_image(std::span<const std::uint8_t> file, std::uint8_t* pixels) {
    int width = 0;
    int height = 0;
    int channels = 0;
    const std::unique_ptr<stbi_uc, void (*)(void*)> decoded(
        stbi_load_from_memory(file.data(), length_of(file), &width, &height, &channels, 3), stbi_image_free);
    if (!decoded) throw InputError("a damaged image found ({}), a whole one expected", stbi_failure_reason());
    std::memcpy(pixels, decoded.get(),
                static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
}

}  // namespace deepfreq
