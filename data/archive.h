#pragma once

#include <filesystem>
#include <span>
#include <string>

namespace deepfreq {

/// Unpacks those files of a tar archive (plain or compressed) that are called one of `names`, in whatever
/// folder of it, into `folder`; each appears there whole or not at all. Throws RunError naming the archive
/// when it is damaged or lacks one of them, or the file that cannot be written.
void unpack(const std::filesystem::path& archive, std::span<const std::string> names,
            const std::filesystem::path& folder);

}  // namespace deepfreq
