#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "tests/files.h"

namespace deepfreq {

/// The bytes of an .npy file of format 1, as numpy.save writes it: its header and the bytes of its numbers.
inline Bytes npy_bytes(const std::string& header, const Bytes& numbers) {
    std::string padded = header;
    while ((10 + padded.size() + 1) % 64 != 0) padded += ' ';
    padded += '\n';
    const auto length = static_cast<std::uint16_t>(padded.size());
    Bytes bytes = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
    bytes.push_back(static_cast<std::uint8_t>(length & 0xff));
    bytes.push_back(static_cast<std::uint8_t>(length >> 8));
    bytes.insert(bytes.end(), padded.begin(), padded.end());
    bytes.insert(bytes.end(), numbers.begin(), numbers.end());
    return bytes;
}

/// NumPy's name of a type, as "<f4".
template <class T>
std::string npy_type() {
    return fmt::format("{}{}{}", sizeof(T) == 1 ? '|' : '<',
                       std::is_floating_point_v<T> ? 'f'
                       : std::is_signed_v<T>       ? 'i'
                                                   : 'u',
                       sizeof(T));
}

/// The bytes of an .npy file of these numbers in C order.
template <class T>
Bytes npy(const std::vector<T>& numbers, const std::vector<std::int64_t>& shape) {
    const auto* const first = reinterpret_cast<const std::uint8_t*>(numbers.data());
    return npy_bytes(fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({},), }}", npy_type<T>(),
                                 fmt::join(shape, ", ")),
                     Bytes(first, first + numbers.size() * sizeof(T)));
}

}  // namespace deepfreq
