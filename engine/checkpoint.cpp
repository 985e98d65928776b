#include "engine/checkpoint.h"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "common/atomic_file.h"
#include "common/error.h"

namespace deepfreq {
namespace {

static_assert(std::endian::native == std::endian::little, "checkpoints are little-endian");

constexpr char magic[8] = {'D', 'E', 'E', 'P', 'F', 'R', 'E', 'Q'};
constexpr std::uint32_t current_version = 1;

struct Preamble {
    char magic[8];
    std::uint32_t version;
    std::uint32_t header_bytes;
};

std::uint32_t checksum(const std::string& bytes) {
    return static_cast<std::uint32_t>(
        crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), static_cast<z_size_t>(bytes.size())));
}

std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    const int reason = std::filesystem::is_directory(path) ? EISDIR : errno;
    if (!file || reason == EISDIR)
        throw InputError("{}: no checkpoint can be read here: {}", path.string(), std::strerror(reason));
    return {std::istreambuf_iterator<char>(file), {}};
}

Preamble read_preamble(const std::filesystem::path& path, const std::string& bytes) {
    Preamble preamble{};
    if (bytes.size() < sizeof preamble + sizeof(std::uint32_t))
        throw InputError("{}: checkpoint cut short: {} bytes, expected at least {}", path.string(),
                         bytes.size(), sizeof preamble + sizeof(std::uint32_t));
    std::memcpy(&preamble, bytes.data(), sizeof preamble);
    if (std::memcmp(preamble.magic, magic, sizeof magic) != 0)
        throw InputError("{}: not a checkpoint: it does not begin with DEEPFREQ", path.string());
    if (preamble.version > current_version)
        throw InputError("{}: checkpoint of version {}, this program reads up to {}: use a newer deepfreq",
                         path.string(), preamble.version, current_version);
    return preamble;
}

}  // namespace

void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
    const std::string header = checkpoint.header.dump();
    Preamble preamble{{}, current_version, static_cast<std::uint32_t>(header.size())};
    std::memcpy(preamble.magic, magic, sizeof magic);
    std::string bytes(reinterpret_cast<const char*>(&preamble), sizeof preamble);
    bytes += header;
    bytes.append(reinterpret_cast<const char*>(checkpoint.values.data()),
                 checkpoint.values.size() * sizeof(float));
    const std::uint32_t sum = checksum(bytes);
    bytes.append(reinterpret_cast<const char*>(&sum), sizeof sum);

    AtomicFile file(path);
    file.write(bytes.data(), bytes.size());
    file.commit();
}

Checkpoint read_checkpoint(const std::filesystem::path& path) {
    std::string bytes = read_file(path);
    const Preamble preamble = read_preamble(path, bytes);
    std::uint32_t sum = 0;
    std::memcpy(&sum, bytes.data() + bytes.size() - sizeof sum, sizeof sum);
    bytes.resize(bytes.size() - sizeof sum);
    if (checksum(bytes) != sum)
        throw InputError("{}: checkpoint cut short or damaged: its checksum is {:08x}, expected {:08x}",
                         path.string(), checksum(bytes), sum);
    const std::size_t values_begin = sizeof preamble + preamble.header_bytes;
    if (values_begin > bytes.size() || (bytes.size() - values_begin) % sizeof(float) != 0)
        throw InputError("{}: checkpoint damaged: {} bytes do not hold a header of {}", path.string(),
                         bytes.size(), preamble.header_bytes);
    Checkpoint checkpoint;
    const char* const header = bytes.data() + sizeof preamble;
    const char* const values = bytes.data() + values_begin;
    const char* const end = bytes.data() + bytes.size();
    checkpoint.header = nlohmann::json::parse(header, values, nullptr, false);
    if (checkpoint.header.is_discarded())
        throw InputError("{}: checkpoint damaged: its header is not JSON", path.string());
    checkpoint.values.resize((bytes.size() - values_begin) / sizeof(float));
    std::copy(values, end, reinterpret_cast<char*>(checkpoint.values.data()));
    return checkpoint;
}

}  // namespace deepfreq
