#include "data/image_decoder.h"

#define STBI_NO_STDIO
#include <stb/stb_image.h>
#include <turbojpeg.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <memory>
#include <string_view>
#include <vector>

#include "common/error.h"

namespace deepfreq {
namespace {

constexpr std::size_t largest = std::numeric_limits<int>::max();  // the largest size stb_image can handle

int length_of(std::span<const std::uint8_t> file) {
    if (file.size() > largest) throw InputError("{} bytes found, at most {} expected", file.size(), largest);
    return static_cast<int>(file.size());
}

bool is_jpeg(std::span<const std::uint8_t> file) {
    return file.size() > 2 && file[0] == 0xFF && file[1] == 0xD8 && file[2] == 0xFF;
}

// Whether a JPEG file was cut short, in which case the missing part would be filled with grey: its last image
// data (FF DA …) must have an end (FF D9).
bool cut_jpeg(std::span<const std::uint8_t> file) {
    constexpr std::array<std::uint8_t, 2> data = {0xFF, 0xDA};
    constexpr std::array<std::uint8_t, 2> end = {0xFF, 0xD9};
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
    constexpr std::size_t at = 12;  // after the signature and the chunk's length
    return file.size() >= at + type.size() && std::ranges::equal(file.subspan(at, type.size()), type);
}

// What is wrong with the chunks of a PNG file, which stb_image does not check: length, type, data, CRC-32 of
// type and data; the last is IEND. Nothing if all is well or the file is not PNG.
const char* png_damage(std::span<const std::uint8_t> file) {
    constexpr std::array<std::uint8_t, 8> signature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    constexpr std::uint32_t end_type = 0x49454E44;  // IEND
    constexpr std::size_t frame = 12;               // bytes of a chunk other than its data
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

// Throws when the extents claim more pixels than the file can hold, before memory is allocated for them.
// Deflate expands a byte to at most 1032 bytes, and a PNG pixel has at least one bit. A JPEG file has at
// least one bit per 64 values.
void check_size(std::span<const std::uint8_t> file, const ImageHeader& header) {
    constexpr double most_pixels_per_byte = 1032.0 * 8.0;
    const double claimed = static_cast<double>(header.width) * header.height;
    if (claimed > most_pixels_per_byte * static_cast<double>(file.size()))
        throw InputError("a header of {}x{} pixels found, which {} bytes cannot hold", header.height,
                         header.width, file.size());
}

// libjpeg-turbo, which describes damage in a sentence.
class JpegFile {
  public:
    explicit JpegFile(std::span<const std::uint8_t> file) : file_(file) {
        if (!decoder_) throw RunError("libjpeg-turbo cannot be used, so that no JPEG image can be read");
        const int failed = tjDecompressHeader3(decoder_.get(), file_.data(), file_.size(), &header_.width,
                                               &header_.height, &subsampling_, &colours_);
        if (failed != 0) throw damage();
        header_.grey = colours_ == TJCS_GRAY;
    }

    ImageHeader header() const { return header_; }

    void decode(std::uint8_t* pixels) const {
        if (colours_ != TJCS_CMYK && colours_ != TJCS_YCCK) return decode(pixels, TJPF_RGB);
        const auto count = static_cast<std::size_t>(header_.width) * static_cast<std::size_t>(header_.height);
        std::vector<std::uint8_t> inks(4 * count);  // as Adobe stores them: inverted, the light that is left
        decode(inks.data(), TJPF_CMYK);
        for (std::size_t i = 0; i < count; ++i)
            for (std::size_t c = 0; c < 3; ++c)
                pixels[3 * i + c] = static_cast<std::uint8_t>(inks[4 * i + c] * inks[4 * i + 3] / 255);
    }

  private:
    void decode(std::uint8_t* to, int format) const {
        const int failed = tjDecompress2(decoder_.get(), file_.data(), file_.size(), to, header_.width, 0,
                                         header_.height, format, TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS);
        // Extraneous bytes do not affect any pixel.
        const std::string_view reason = tjGetErrorStr2(decoder_.get());
        if (failed != 0 && reason.find("extraneous bytes") == std::string_view::npos) throw damage();
    }
    InputError damage() const {
        return InputError("a damaged JPEG image found ({}), a whole one expected",
                          tjGetErrorStr2(decoder_.get()));
    }

    struct Destroy {
        void operator()(void* decoder) const { tjDestroy(decoder); }
    };
    std::unique_ptr<void, Destroy> decoder_{tjInitDecompress()};
    std::span<const std::uint8_t> file_;
    ImageHeader header_;
    int subsampling_ = 0, colours_ = 0;
};

ImageHeader read_png_header(std::span<const std::uint8_t> file) {
    ImageHeader header;
    int channels = 0;
    if (!stbi_info_from_memory(file.data(), length_of(file), &header.width, &header.height, &channels))
        throw InputError("no PNG or JPEG image found ({}), one expected", stbi_failure_reason());
    header.grey = channels < 3;
    return header;
}

}  // namespace

ImageHeader read_image_header(std::span<const std::uint8_t> file) {
    if (file.empty()) throw InputError("0 bytes found, a PNG or JPEG image expected");
    const bool jpeg = is_jpeg(file);
    const ImageHeader header = jpeg ? JpegFile(file).header() : read_png_header(file);
    if (static_cast<double>(header.width) * header.height * 3.0 > static_cast<double>(largest))
        throw InputError("an image of {}x{} found, at most {} bytes expected", header.height, header.width,
                         largest);
    check_size(file, header);
    if (jpeg && cut_jpeg(file))
        throw InputError("a JPEG image cut short after {} bytes found, its end expected", file.size());
    if (is_xcode_png(file))
        throw InputError(
            "a PNG image in Xcode's own form (CgBI) found, a standard one expected (on a Mac: xcrun pngcrush "
            "-revert-iphone-optimizations)");
    if (const char* damage = png_damage(file))
        throw InputError("a damaged PNG image found ({}), a whole one expected", damage);
    return header;
}

void decode_image(std::span<const std::uint8_t> file, std::uint8_t* pixels) {
    if (is_jpeg(file)) return JpegFile(file).decode(pixels);
    int width = 0;
    int height = 0;
    int channels = 0;
    const std::unique_ptr<stbi_uc, void (*)(void*)> decoded(
        stbi_load_from_memory(file.data(), length_of(file), &width, &height, &channels, 3), stbi_image_free);
    if (!decoded)
        throw InputError("a damaged PNG image found ({}), a whole one expected", stbi_failure_reason());
    std::memcpy(pixels, decoded.get(),
                static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
}

}  // namespace deepfreq
