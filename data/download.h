#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace deepfreq {

/// How long download() waits, and whom it informs.
struct DownloadOptions {
    long connect_seconds = 10;  ///< to reach a server
    long stalled_seconds = 30;  ///< without a byte, before a server is given up
    /// Called from time to time with the bytes received and the total bytes expected (0 while unknown). An
    /// exception it throws ends the download and is passed on by download().
    std::function<void(std::int64_t received, std::int64_t total)> progress = {};
};

/// What a published MD5 refers to: the unpacked contents, if the file is gzip, or the file as it is.
enum class Md5Of { Unpacked, File };

/// Fetches a file over http or https from the first of `urls` that has it whole, with the given MD5. Only
/// then does it appear under `path`; it is removed on failure. Throws RunError naming every URL tried and why
/// each failed, or saying that `path` could not be written (InputError when it could not be created).
void download(const std::vector<std::string>& urls, const std::filesystem::path& path,
              const std::string& expected_md5, const DownloadOptions& options = {},
              Md5Of md5_of = Md5Of::Unpacked);

}  // namespace deepfreq
