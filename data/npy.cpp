#include "data/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>

#include "common/error.h"

namespace deepfreq {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are read as they are in the file");

constexpr std::string_view magic = "\x93NUMPY";
constexpr std::uint32_t longest_header = 10000;  // as in NumPy itself
constexpr std::size_t chunk = 1 << 16;           // numbers converted at once

std::string_view without_spaces(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\n");
    return first == std::string_view::npos ? std::string_view{} : text.substr(first);
}

/// What follows `'key':` in the header, which is a Python dictionary; nothing when the key is missing.
std::optional<std::string_view> after_key(std::string_view header, std::string_view key) {
    for (const char quote : {'\'', '"'}) {
        const std::string quoted = fmt::format("{}{}{}", quote, key, quote);
        const std::size_t found = header.find(quoted);
        if (found == std::string_view::npos) continue;
        const std::string_view rest = without_spaces(header.substr(found + quoted.size()));
        if (rest.starts_with(':')) return without_spaces(rest.substr(1));
    }
    return std::nullopt;
}

/// 'text' or "text" at the beginning; nothing for anything else, such as the list of a structured type.
std::optional<std::string> quoted_text(std::string_view text) {
    if (!text.starts_with('\'') && !text.starts_with('"')) return std::nullopt;
    const std::size_t end = text.find(text[0], 1);
    if (end == std::string_view::npos) return std::nullopt;
    return std::string(text.substr(1, end - 1));
}

/// A tuple of whole numbers at the beginning, such as (3,) or (3, 4).
std::optional<std::vector<std::int64_t>> tuple_of_numbers(std::string_view text) {
    if (!text.starts_with('(')) return std::nullopt;
    std::vector<std::int64_t> numbers;
    for (text = without_spaces(text.substr(1)); !text.starts_with(')');) {
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc{} || number < 0) return std::nullopt;
        numbers.push_back(number);
        text = text.substr(static_cast<std::size_t>(end - text.data()));
        if (text.starts_with('L')) text.remove_prefix(1);  // 40L: as Python 2 wrote long integers
        text = without_spaces(text);
        if (text.starts_with(','))
            text = without_spaces(text.substr(1));
        else if (!text.starts_with(')'))
            return std::nullopt;
    }
    return numbers;
}

bool is_supported(const std::string& dtype) {
    constexpr std::array known = {"<f4", "<f8", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8"};
    return std::ranges::find(known, dtype) != known.end();
}

/// How to convert it to numbers in NumPy.
const char* advice_for(const std::string& dtype) {
    const auto kind = [&](const char* kinds) { return dtype.find_first_of(kinds) == 1; };
    if (kind("US")) return "numpy.unique(x, return_inverse=True)[1] makes labels of texts";
    if (dtype == "|V2" || dtype == "<V2")
        return "(x.view('<u2').astype('<u4') << 16).view('<f4'), if it is bfloat16";
    if (kind("mM")) return ".astype('<i8'), and for features then .astype('<f8')";
    if (kind("fiubc")) return ".astype('<f4')";
    return "numpy.array(x.tolist(), '<f4'), if it holds numbers";
}

/// Reads `to.size()` numbers stored as Stored, chunk by chunk; take(i, value) returns what to keep of each.
template <class Stored, class Number, class ReadBytes, class Take>
void convert(std::span<Number> to, ReadBytes read_bytes, Take take) {
    std::vector<Stored> stored(std::min(chunk, to.size()));
    for (std::size_t first = 0; first < to.size(); first += chunk) {
        const std::size_t count = std::min(chunk, to.size() - first);
        read_bytes(stored.data(), count * sizeof(Stored));
        for (std::size_t i = 0; i < count; ++i) to[first + i] = take(first + i, stored[i]);
    }
}

}  // namespace

NpyFile::NpyFile(std::filesystem::path path)
    : path_(std::move(path)), file_(std::fopen(path_.c_str(), "rb"), std::fclose) {
    if (!file_) throw InputError("{}: cannot be read: {}", name(), std::strerror(errno));
    read_header();
    check_size();
}

std::string NpyFile::description() const {
    return fmt::format("{}{} [{}]",
                       dtype_[1] == 'u'   ? "uint"
                       : dtype_[1] == 'i' ? "int"
                                          : "float",
                       8 * item_bytes(), fmt::join(shape_, ", "));
}

void NpyFile::read_bytes(void* to, std::size_t bytes) {
    errno = 0;
    if (std::fread(to, 1, bytes, file_.get()) == bytes) return;
    if (std::ferror(file_.get()) != 0)
        throw InputError("{}: cannot be read: {}", name(), std::strerror(errno));
    throw InputError("{}: truncated: the file ends before its {}, a whole .npy file expected", name(),
                     shape_.empty() ? "header does" : "numbers do");
}

void NpyFile::read_header() {
    std::array<char, 8> begin{};
    read_bytes(begin.data(), begin.size());
    if (!std::string_view(begin.data(), begin.size()).starts_with(magic))
        throw InputError("{}: begins with other bytes than a .npy file, one written by numpy.save expected",
                         name());
    const int version = static_cast<unsigned char>(begin[6]);
    if (version < 1 || version > 3)
        throw InputError("{}: .npy format {} found, 1 to 3 expected", name(), version);
    std::uint32_t length = 0;
    const std::size_t length_bytes = version == 1 ? 2 : 4;
    read_bytes(&length, length_bytes);
    if (length > longest_header)
        throw InputError("{}: a header of {} bytes found, at most {} expected", name(), length,
                         longest_header);
    std::string header(length, '\0');
    read_bytes(header.data(), length);
    data_begin_ = begin.size() + length_bytes + length;

    const auto refuse = [this](std::string_view what) {
        return InputError("{}: the header is damaged: it names no {}, a .npy file expected", name(), what);
    };
    const auto type = after_key(header, "descr"), fortran = after_key(header, "fortran_order");
    const auto shape = after_key(header, "shape");
    if (!type) throw refuse("descr");
    dtype_ = quoted_text(*type).value_or("a structured one");
    if (!is_supported(dtype_))
        throw InputError(
            "{}: the type {} found, little-endian float32, float64 or integers of 1 to 8 bytes expected "
            "(in NumPy: {})",
            name(), dtype_, advice_for(dtype_));
    if (!fortran || !(fortran->starts_with("True") || fortran->starts_with("False")))
        throw refuse("fortran_order");
    const auto extents = shape ? tuple_of_numbers(*shape) : std::nullopt;
    if (!extents) throw refuse("shape");
    shape_ = *extents;
    if (shape_.empty() || shape_.size() > 2)
        throw InputError("{}: shape [{}] found, one or two axes expected (in NumPy: .reshape(len(x), -1))",
                         name(), fmt::join(shape_, ", "));
    // A single column or row has the same memory layout in both orders.
    if (fortran->starts_with("True") && columns() > 1 && rows() > 1)
        throw InputError(
            "{}: an array in Fortran order found, C order expected (in NumPy: numpy.ascontiguousarray)",
            name());
}

void NpyFile::check_size() const {
    std::uint64_t expected = item_bytes();
    bool too_large = false;
    for (const std::int64_t extent : shape_)
        too_large |= __builtin_mul_overflow(expected, static_cast<std::uint64_t>(extent), &expected);
    if (expected == 0 && !too_large)
        throw InputError("{}: shape [{}] found, at least one number expected", name(),
                         fmt::join(shape_, ", "));
    too_large |= __builtin_add_overflow(expected, data_begin_, &expected);
    const std::uint64_t found = std::filesystem::file_size(path_);
    if (too_large || found != expected)
        throw InputError("{}: {}: {} bytes found, {} expected for its {}", name(),
                         too_large || found < expected ? "truncated" : "too long", found,
                         too_large ? "more than any file has" : std::to_string(expected), description());
}

std::string NpyFile::place(std::size_t i) const {
    const std::int64_t number = numbers_read_ + static_cast<std::int64_t>(i);
    return fmt::format("row {}, column {}", number / columns(), number % columns());
}

void NpyFile::seek(std::int64_t row) {
    numbers_read_ = row * columns();
    const std::uint64_t place = data_begin_ + static_cast<std::uint64_t>(numbers_read_) * item_bytes();
    if (fseeko(file_.get(), static_cast<off_t>(place), SEEK_SET) != 0)
        throw InputError("{}: cannot be read: {}", name(), std::strerror(errno));
}

void NpyFile::read(std::span<float> to) {
    read_floats(to);
}

void NpyFile::read(std::span<double> to) {
    read_floats(to);
}

template <class Number>
void NpyFile::read_floats(std::span<Number> to) {
    if (has_integers())
        throw InputError("{}: {} found, floats expected (in NumPy: .astype('f4'))", name(), description());
    const auto bytes = [this](void* data, std::size_t size) { read_bytes(data, size); };
    const auto finite = [this](std::size_t i, auto value) {
        const auto number = static_cast<Number>(value);
        if (!std::isfinite(number))
            throw InputError("{}: {} found at {}, a finite number{} expected", name(), value, place(i),
                             std::is_same_v<Number, float> ? " in single precision" : "");
        return number;
    };
    if (item_bytes() == sizeof(float))
        convert<float>(to, bytes, finite);
    else
        convert<double>(to, bytes, finite);
    numbers_read_ += static_cast<std::int64_t>(to.size());
}

void NpyFile::read(std::span<std::int64_t> to) {
    if (!has_integers()) throw InputError("{}: {} found, integers expected", name(), description());
    const auto as = [&]<class Stored>(Stored /*type*/) {
        convert<Stored>(
            to, [this](void* data, std::size_t size) { read_bytes(data, size); },
            [this](std::size_t i, Stored value) {
                if (!std::in_range<std::int64_t>(value))
                    throw InputError("{}: {} found at {}, at most {} expected", name(), value, place(i),
                                     std::numeric_limits<std::int64_t>::max());
                return static_cast<std::int64_t>(value);
            });
    };
    const bool is_signed = dtype_[1] == 'i';
    switch (item_bytes()) {
        case 1:
            is_signed ? as(std::int8_t{}) : as(std::uint8_t{});
            break;
        case 2:
            is_signed ? as(std::int16_t{}) : as(std::uint16_t{});
            break;
        case 4:
            is_signed ? as(std::int32_t{}) : as(std::uint32_t{});
            break;
        default:
            is_signed ? as(std::int64_t{}) : as(std::uint64_t{});
            break;
    }
    numbers_read_ += static_cast<std::int64_t>(to.size());
}

}  // namespace deepfreq
