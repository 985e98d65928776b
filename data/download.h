#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace deepfreq {

/// How patient download() is, and whom it tells.
struct DownloadOptions {
    long connect_seconds = 10;  ///< to reach a server
    long stalled_seconds = 30;  ///< without a byte before a server is given up
    /// Called now and then with the bytes received and the bytes expected in all (0 while unknown). An
    /// exception it throws ends the download and comes out of download().
    std::function<void(std::int64_t received, std::int64_t total)> progress = {};
};

/// What a published MD5 was taken of: of what the file unpacks to, when it is gzip, or of the file as it is.
enum class Md5Of { Unpacked, File };

/// Fetches a file over http or https from the first of `urls` that has it whole, with the given MD5. It
/// appears under `path` only then, and is removed on failure. Throws
/// RunError naming every URL tried and why each failed, or that `path` could not be written (InputError when
/// it could not be created).
void download(const std::vector<std::string>& urls, const std::filesystem::path& path,
              const std::string& expected_md5, const DownloadOptions& options = {},
              Md5Of md5_of = Md5Of::Unpacked);

}  // namespace deepfreq
