#include "common/text_bytes.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <cstdint>

namespace deepfreq {
namespace {

/// A range of code points, and how the bytes of one begin.
struct Length {
    unsigned char mask, lead;
    int bytes;
    std::uint32_t least;  ///< longer encodings of smaller code points are not valid
};
constexpr std::array<Length, 4> lengths = {
    {{0x80, 0x00, 1, 0}, {0xE0, 0xC0, 2, 0x80}, {0xF0, 0xE0, 3, 0x800}, {0xF8, 0xF0, 4, 0x10000}}};

/// Number of bytes in the first character of `text`; 0 when it does not begin with a valid one.
std::size_t character_bytes(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    for (const Length& length : lengths) {
        if ((byte(0) & length.mask) != length.lead) continue;
        const auto bytes = static_cast<std::size_t>(length.bytes);
        if (text.size() < bytes) return 0;
        std::uint32_t point = byte(0) & static_cast<unsigned char>(~length.mask);
        for (std::size_t i = 1; i < bytes; ++i) {
            if ((byte(i) & 0xC0) != 0x80) return 0;
            point = point << 6 | (byte(i) & 0x3F);
        }
        const bool surrogate = point >= 0xD800 && point < 0xE000;
        return point < length.least || surrogate || point > 0x10FFFF ? 0 : bytes;
    }
    return 0;
}

}  // namespace

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t bytes = character_bytes(text);
        if (bytes == 0) return false;
        text.remove_prefix(bytes);
    }
    return true;
}

std::string percent_encoded(std::string_view bytes) {
    constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    std::string text;
    for (const char byte : bytes)
        text += plain.find(byte) != std::string_view::npos
                    ? std::string(1, byte)
                    : fmt::format("%{:02X}", static_cast<unsigned char>(byte));
    return text;
}

std::optional<std::string> percent_decoded(std::string_view text) {
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            bytes += text[i];
            continue;
        }
        unsigned char byte = 0;
        if (text.size() - i < 3) return std::nullopt;
        const char* const digits = text.data() + i + 1;
        if (std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2) return std::nullopt;
        bytes += static_cast<char>(byte);
        i += 2;
    }
    return bytes;
}

}  // namespace deepfreq
