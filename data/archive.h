#pragma once

#include <filesystem>
#include <span>
#include <string>

namespace deepfreq {

/// Unpacks the files of a tar archive (plain or compressed) whose name is one of `names`, in any of its
/// folders, into `folder`; each appears there whole or not at all. Throws RunError naming the archive when it
/// is damaged or lacks one of them, or naming the file that cannot be written.
void unpack(const std::filesystem::path& archive, std::span<const std::string> names,
            const std::filesystem::path& folder);

}  // namespace deepfreq
