#include "data/files.h"

#include <fmt/core.h>
#include <openssl/evp.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "common/error.h"

namespace deepfreq {

std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path) {
    std::FILE* opened = std::fopen(path.c_str(), "rb");
    if (!opened) throw InputError("{}: cannot be read: {}", path.string(), std::strerror(errno));
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(opened, std::fclose);
    std::setvbuf(opened, nullptr, _IONBF, 0);  // large reads need no second buffer

    std::error_code no_size;  // of a directory, say: reading it reports why
    const std::uintmax_t size = std::filesystem::file_size(path, no_size);
    std::vector<std::uint8_t> content(no_size ? 1 : size);
    content.resize(std::fread(content.data(), 1, content.size(), opened));
    if (std::ferror(opened)) throw InputError("{}: cannot be read: {}", path.string(), std::strerror(errno));
    return content;
}

std::vector<std::uint8_t> read_unpacked(const std::filesystem::path& path, std::size_t most) {
    errno = 0;
    const gzFile opened = gzopen(path.c_str(), "rb");
    if (!opened) throw InputError("{}: cannot be read: {}", path.string(), std::strerror(errno));
    const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(opened, gzclose);

    constexpr std::size_t least = 1 << 14, largest = 1 << 24;  // bytes read at once
    std::vector<std::uint8_t> content;
    for (int read = 1; read > 0;) {
        const std::size_t size = content.size();
        const std::size_t chunk = std::clamp(size, least, largest);
        content.resize(size + chunk);
        read = gzread(file.get(), content.data() + size, static_cast<unsigned>(chunk));
        content.resize(size + static_cast<std::size_t>(read > 0 ? read : 0));
        if (content.size() > most)
            throw InputError("{}: more than {} bytes found, at most so many expected", path.string(), most);
    }

    // Only gzerror reports a stream that just stops: gzread returns what there was without an error.
    int status = Z_OK;
    const char* reason = gzerror(file.get(), &status);
    if (status == Z_ERRNO) throw InputError("{}: cannot be read: {}", path.string(), std::strerror(errno));
    if (status == Z_BUF_ERROR)
        throw InputError("{}: the gzip stream is cut short after {} unpacked bytes, its end expected",
                         path.string(), content.size());
    if (status != Z_OK)
        throw InputError("{}: the gzip stream is corrupt ({}), a whole one expected", path.string(), reason);
    return content;
}

std::string md5(std::span<const std::uint8_t> bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_md5(), nullptr) != 1)
        throw RunError("MD5 is not available in this OpenSSL, so that no checksum can be taken");
    std::string text;
    for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
    return text;
}

}  // namespace deepfreq
