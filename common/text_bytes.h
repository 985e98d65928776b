#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace deepfreq {

/// @name Text that may not be UTF-8, such as paths, in files that must be: TOML and JSON
/// @{

/// Whether the text is valid UTF-8 (RFC 3629).
bool is_utf8(std::string_view text);

/// Writes every byte except letters, digits and -._~/ as % and two hexadecimal digits (RFC 3986).
std::string percent_encoded(std::string_view bytes);

/// The bytes that percent_encoded() was given; nothing when a % is not followed by two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text);

/// The key of a table that stands for text that is not UTF-8: { percent-encoded = "caf%E9" }.
inline constexpr const char* percent_encoded_key = "percent-encoded";
/// @}

}  // namespace deepfreq
