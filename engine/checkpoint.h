#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace deepfreq {

/// All that a run needs to go on as if it had never stopped: facts by name, and tensors with their numbers.
/// On disk a safetensors file, which other programs open (safetensors.torch.load_file): the length of a
/// header (u64), the header (JSON: type, shape and place of each tensor), the tensors' numbers,
/// little-endian. Its metadata hold the facts ("deepfreq", JSON), a version and the CRC-32 of the whole file,
/// with "00000000" in its own place.
struct Checkpoint {
    struct Tensor {
        std::string name;
        std::vector<std::int64_t> shape;
        bool operator==(const Tensor&) const = default;
    };

    nlohmann::json header;
    std::vector<Tensor> tensors = {};
    std::vector<float> values = {};  ///< of all tensors, one after the other
};

/// Appears under `path` whole or not at all. Throws InputError or RunError as AtomicFile does.
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// Throws InputError naming the file when it is missing, cut short, damaged, not ours, or of an older or
/// newer version.
Checkpoint read_checkpoint(const std::filesystem::path& path);

/// Puts the right checksum into the bytes of a checkpoint; does nothing where there is no place for one.
void put_checksum(std::string& bytes);

}  // namespace deepfreq
