#include "engine/checkpoint.h"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "common/atomic_file.h"
#include "common/error.h"

namespace deepfreq {
namespace {

static_assert(std::endian::native == std::endian::little, "checkpoints are little-endian");

using Header = nlohmann::ordered_json;  // ordered: the checksum comes first, at a known place

constexpr int current_version = 2;
constexpr std::string_view old_magic = "DEEPFREQ";  // of version 1, which had its own format
constexpr std::string_view beginning = R"({"__metadata__":{"crc32":")";
constexpr std::string_view no_checksum = "00000000";
constexpr std::size_t checksum_at = sizeof(std::uint64_t) + beginning.size();
constexpr std::size_t least_bytes = checksum_at + no_checksum.size();

std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    const int reason = std::filesystem::is_directory(path) ? EISDIR : errno;
    if (!file || reason == EISDIR)
        throw InputError("{}: no checkpoint can be read here: {}", path.string(), std::strerror(reason));
    return {std::istreambuf_iterator<char>(file), {}};
}

/// CRC-32 in hexadecimal digits, of everything except the place where the checksum itself is stored.
std::string checksum(const std::string& bytes) {
    uLong sum = 0;
    for (const std::string_view part : {std::string_view(bytes).substr(0, checksum_at), no_checksum,
                                        std::string_view(bytes).substr(least_bytes)})
        sum = crc32_z(sum, reinterpret_cast<const Bytef*>(part.data()), part.size());
    return fmt::format("{:08x}", sum);
}

std::uint64_t header_bytes(const std::string& bytes) {
    std::uint64_t length = 0;
    std::memcpy(&length, bytes.data(), sizeof length);
    return length;
}

/// Checks that the bytes begin as those of a checkpoint, as far as they go.
void check_beginning(const std::filesystem::path& path, const std::string& bytes) {
    if (bytes.starts_with(old_magic))
        throw InputError(
            "{}: checkpoint of version 1, this program reads version {}: finish the run with the deepfreq "
            "that began it, or begin it anew",
            path.string(), current_version);
    const std::string_view text =
        std::string_view(bytes).substr(std::min(bytes.size(), sizeof(std::uint64_t)));
    if (!text.starts_with(beginning.substr(0, text.size())))
        throw InputError("{}: not a checkpoint: its header does not begin with {}", path.string(), beginning);
    if (bytes.size() < least_bytes)
        throw InputError("{}: checkpoint cut short: {} bytes, expected at least {}", path.string(),
                         bytes.size(), least_bytes);
    if (const std::uint64_t rest = bytes.size() - sizeof(std::uint64_t); header_bytes(bytes) > rest)
        throw InputError("{}: checkpoint cut short: {} bytes after its length, expected a header of {}",
                         path.string(), rest, header_bytes(bytes));
}

[[noreturn]] void damaged(const std::filesystem::path& path, std::string_view what) {
    throw InputError("{}: checkpoint damaged: {}", path.string(), what);
}

/// The header as JSON, with the metadata of a checkpoint of this version.
Header read_header(const std::filesystem::path& path, const std::string& bytes) {
    const char* const text = bytes.data() + sizeof(std::uint64_t);
    Header header = Header::parse(text, text + header_bytes(bytes), nullptr, false);
    if (header.is_discarded()) damaged(path, "its header is not JSON");
    const Header& metadata = header.at("__metadata__");
    for (const char* const name : {"version", "deepfreq"})
        if (!metadata.contains(name) || !metadata.at(name).is_string())
            damaged(path, fmt::format("its metadata have no '{}'", name));
    const int version = std::atoi(metadata.at("version").get_ref<const std::string&>().c_str());
    if (version > current_version)
        throw InputError("{}: checkpoint of version {}, this program reads up to {}: use a newer deepfreq",
                         path.string(), version, current_version);
    return header;
}

void check_checksum(const std::filesystem::path& path, const std::string& bytes) {
    const std::string_view expected = std::string_view(bytes).substr(checksum_at, no_checksum.size());
    if (const std::string found = checksum(bytes); found != expected)
        throw InputError("{}: checkpoint cut short or damaged: its checksum is {}, expected {}",
                         path.string(), found, expected);
}

/// Number of elements of a tensor of this shape; more than `most` if it exceeds that or is not a valid shape.
std::uint64_t elements(const Header& shape, std::uint64_t most) {
    std::uint64_t product = 1;
    for (const Header& extent : shape) {
        if (!extent.is_number_unsigned()) return most + 1;
        const auto size = extent.get<std::uint64_t>();
        if (size > 0 && product > most / size) return most + 1;
        product *= size;
    }
    return product;
}

/// The tensors, which follow one another without gaps and fill `numbers`.
std::vector<Checkpoint::Tensor> read_tensors(const std::filesystem::path& path, const Header& header,
                                             std::uint64_t numbers) {
    std::vector<Checkpoint::Tensor> tensors;
    std::uint64_t end = 0;
    for (const auto& [name, tensor] : header.items()) {
        if (name == "__metadata__") continue;
        const Header shape = tensor.is_object() ? tensor.value("shape", Header()) : Header();
        if (!shape.is_array() || tensor.value("dtype", Header()) != "F32")
            damaged(path, fmt::format("tensor '{}' is not of type F32 with a shape", name));
        const std::uint64_t begin = end;
        end += sizeof(float) * elements(shape, numbers);
        if (tensor.value("data_offsets", Header()) != Header{begin, end} || end > sizeof(float) * numbers)
            damaged(path, fmt::format("tensor '{}' is not where its shape puts it", name));
        tensors.push_back({name, shape.get<std::vector<std::int64_t>>()});
    }
    if (end != sizeof(float) * numbers)
        damaged(path, fmt::format("its tensors have {} bytes of {}", end, sizeof(float) * numbers));
    return tensors;
}

}  // namespace

void put_checksum(std::string& bytes) {
    if (bytes.size() >= least_bytes) bytes.replace(checksum_at, no_checksum.size(), checksum(bytes));
}

void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
    Header header = {{"__metadata__",
                      {{"crc32", no_checksum},
                       {"version", std::to_string(current_version)},
                       {"deepfreq", checkpoint.header.dump()}}}};
    std::uint64_t end = 0;
    for (const auto& [name, shape] : checkpoint.tensors) {
        const std::uint64_t begin = end;
        std::uint64_t numbers = 1;
        for (const std::int64_t extent : shape) numbers *= static_cast<std::uint64_t>(extent);
        end += sizeof(float) * numbers;
        header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {begin, end}}};
    }
    if (end != sizeof(float) * checkpoint.values.size())
        throw InputError("{}: tensors of {} bytes given with {} numbers, as many expected", path.string(),
                         end, checkpoint.values.size());
    std::string text = header.dump();
    text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the numbers are aligned
    const std::uint64_t length = text.size();
    std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
    bytes += text;
    bytes.append(reinterpret_cast<const char*>(checkpoint.values.data()),
                 checkpoint.values.size() * sizeof(float));
    put_checksum(bytes);

    AtomicFile file(path);
    file.write(bytes.data(), bytes.size());
    file.commit();
}

Checkpoint read_checkpoint(const std::filesystem::path& path) {
    const std::string bytes = read_file(path);
    check_beginning(path, bytes);
    const Header header = read_header(path, bytes);
    check_checksum(path, bytes);
    const std::size_t values_begin = sizeof(std::uint64_t) + header_bytes(bytes);
    if ((bytes.size() - values_begin) % sizeof(float) != 0) damaged(path, "its end is no whole number");
    Checkpoint checkpoint;
    const auto& facts = header.at("__metadata__").at("deepfreq").get_ref<const std::string&>();
    checkpoint.header = nlohmann::json::parse(facts, nullptr, false);
    if (!checkpoint.header.is_object()) damaged(path, "its facts are no JSON object");
    checkpoint.values.resize((bytes.size() - values_begin) / sizeof(float));
    checkpoint.tensors = read_tensors(path, header, checkpoint.values.size());
    std::copy(bytes.begin() + static_cast<std::ptrdiff_t>(values_begin), bytes.end(),
              reinterpret_cast<char*>(checkpoint.values.data()));
    return checkpoint;
}

}  // namespace deepfreq
