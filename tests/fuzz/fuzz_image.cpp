#include <zlib.h>

#include <algorithm>
#include <vector>

#include "data/image_decoder.h"
#include "tests/fuzz/input_file.h"

// PNG and JPEG images. The first byte says whether the checksums of a PNG file are put right, which no input
// that the fuzzer changed would have.

using namespace deepfreq;

namespace {

std::uint32_t word_at(const std::uint8_t* at) {
    return std::uint32_t{at[0]} << 24 | std::uint32_t{at[1]} << 16 | std::uint32_t{at[2]} << 8 | at[3];
}

void put_checksums_right(std::vector<std::uint8_t>& file) {
    for (std::size_t at = 8; at + 12 <= file.size();) {
        const std::size_t length = word_at(file.data() + at);
        if (length > file.size() - at - 12) return;
        const uLong sum = crc32_z(0, file.data() + at + 4, length + 4);
        for (std::size_t i = 0; i < 4; ++i)
            file[at + 8 + length + i] = static_cast<std::uint8_t>(sum >> (24 - 8 * i));
        at += length + 12;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    std::vector<std::uint8_t> file(data + 1, data + size);
    if (data[0] % 2 == 1 && file.size() > 8 && file[1] == 'P') put_checksums_right(file);
    fuzz::refuse_or([&] {
        const ImageHeader header = read_image_header(file);
        std::vector<std::uint8_t> pixels(static_cast<std::size_t>(header.height) *
                                         static_cast<std::size_t>(header.width) * 3);
        decode_image(file, pixels.data());
    });
    return 0;
}
