#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace deepfreq {

/// The whole content of a file. Throws InputError when it is missing or cannot be read.
std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path);

/// The same, unpacked if it is gzip (detected by its first bytes, not by its name). Throws InputError also
/// when its gzip stream is corrupt or cut short, or unpacks to more than `most` bytes.
std::vector<std::uint8_t> read_unpacked(const std::filesystem::path& path,
                                        std::size_t most = std::size_t{1} << 31);

/// MD5 in 32 hexadecimal digits. It guards against damage, as published for MNIST, not against an adversary.
std::string md5(std::span<const std::uint8_t> bytes);

}  // namespace deepfreq
