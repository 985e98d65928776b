#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

namespace deepfreq {

/// All that a run needs to go on as if it had never stopped: facts by name, and the numbers behind them.
/// On disk: "DEEPFREQ", version (u32), header length (u32), header (JSON), values (float32), CRC-32 of all
/// before.
struct Checkpoint {
    nlohmann::json header;
    std::vector<float> values;
};

/// Appears under `path` whole or not at all. Throws InputError or RunError as AtomicFile does.
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// Throws InputError naming the file when it is missing, cut short, damaged, not ours or of a newer version.
Checkpoint read_checkpoint(const std::filesystem::path& path);

}  // namespace deepfreq
