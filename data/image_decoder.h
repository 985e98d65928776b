#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace deepfreq {

/// The contents of an image file's header.
struct ImageHeader {
    int height = 0;
    int width = 0;
    bool grey = false;

    bool same_size(const ImageHeader& other) const { return height == other.height && width == other.width; }
};

/// Reads the header of a PNG or JPEG file. Throws InputError with the reason (no file name) when the file is
/// empty, is neither, or was cut short, or when a checksum of the PNG file is wrong.
ImageHeader read_image_header(std::span<const std::uint8_t> file);

/// Decodes the file into `pixels` [height, width, 3]: red, green, blue in 0 … 255, a grey value three times;
/// transparency is ignored. The extents are those of its header. Throws InputError with the reason.
void decode_image(std::span<const std::uint8_t> file, std::uint8_t* pixels);

}  // namespace deepfreq
