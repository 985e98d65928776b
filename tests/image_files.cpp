#include "tests/image_files.h"

// stb_image_write is a header that our warnings were not made for.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-function"
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>
#pragma GCC diagnostic pop

namespace deepfreq {
namespace {

void append(void* bytes, void* data, int size) {
    const auto* first = static_cast<const std::uint8_t*>(data);
    static_cast<Bytes*>(bytes)->insert(static_cast<Bytes*>(bytes)->end(), first, first + size);
}

}  // namespace

Bytes png(int height, int width, int channels, const Bytes& pixels) {
    REQUIRE(std::ssize(pixels) == height * width * channels);
    Bytes file;
    REQUIRE(stbi_write_png_to_func(append, &file, width, height, channels, pixels.data(), 0) != 0);
    return file;
}

Bytes jpeg(int height, int width, int channels, const Bytes& pixels) {
    REQUIRE(std::ssize(pixels) == height * width * channels);
    Bytes file;
    REQUIRE(stbi_write_jpg_to_func(append, &file, width, height, channels, pixels.data(), 95) != 0);
    return file;
}

}  // namespace deepfreq
