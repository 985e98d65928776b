#pragma once

#include <filesystem>

namespace deepfreq {

/// A folder that only this process uses while this object exists. It holds a lock that the system releases
/// when the process ends, however it ends.
class OwnedFolder {
  public:
    /// For an existing folder. Throws InputError naming the process that uses it, or the reason why nothing
    /// can be written; warns if the file system has no locks.
    explicit OwnedFolder(std::filesystem::path path);
    OwnedFolder(OwnedFolder&& other) noexcept;
    ~OwnedFolder();
    OwnedFolder(const OwnedFolder&) = delete;
    OwnedFolder& operator=(const OwnedFolder&) = delete;
    OwnedFolder& operator=(OwnedFolder&&) = delete;

    /// The first of `stem`-001, `stem`-002 … that this process could create; others may be looking too.
    static OwnedFolder next(const std::filesystem::path& stem);

    const std::filesystem::path& path() const { return path_; }
    /// The lock file, which exists while it is locked.
    static constexpr const char* lock_name = ".lock";

  private:
    std::filesystem::path path_;
    int descriptor_ = -1;
};

}  // namespace deepfreq
