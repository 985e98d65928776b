#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace deepfreq {

/// Everything a run needs to continue as if it had never stopped: facts by name, and tensors with their
/// values. On disk it is a safetensors file, which other programs can open (safetensors.torch.load_file): the
/// length of the header (u64), the header (JSON: type, shape and position of each tensor) and the tensors'
/// values, all little-endian. The metadata hold the facts ("deepfreq", JSON), a version and the CRC-32 of the
/// whole file, computed with "00000000" in place of the checksum itself.
struct Checkpoint {
    struct Tensor {
        std::string name;
        std::vector<std::int64_t> shape;
        bool operator==(const Tensor&) const = default;
    };

    nlohmann::json header;
    std::vector<Tensor> tensors = {};
    std::vector<float> values = {};  ///< of all tensors, one after another
};

/// Writes the file to `path`, whole or not at all. Throws InputError or RunError as AtomicFile does.
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// Throws InputError naming the file when it is missing, truncated, damaged, not a deepfreq checkpoint, or of
/// an older or newer version.
Checkpoint read_checkpoint(const std::filesystem::path& path);

/// Writes the correct checksum into the bytes of a checkpoint; does nothing if they have no place for one.
void put_checksum(std::string& bytes);

}  // namespace deepfreq
