#pragma once

#include <filesystem>

namespace deepfreq {

/// A folder that this process alone works on, for as long as this lives: it holds a lock that the system
/// gives back when the process ends, however it ends.
class OwnedFolder {
  public:
    /// Of a folder that is there. Throws InputError naming the process that works on it, or the reason why
    /// nothing can be written; warns where the file system has no locks.
    explicit OwnedFolder(std::filesystem::path path);
    OwnedFolder(OwnedFolder&& other) noexcept;
    ~OwnedFolder();
    OwnedFolder(const OwnedFolder&) = delete;
    OwnedFolder& operator=(const OwnedFolder&) = delete;
    OwnedFolder& operator=(OwnedFolder&&) = delete;

    /// The first of `stem`-001, `stem`-002 … that this process could make; others may be looking too.
    static OwnedFolder next(const std::filesystem::path& stem);

    const std::filesystem::path& path() const { return path_; }
    /// The file that is locked, which is there while it is.
    static constexpr const char* lock_name = ".lock";

  private:
    std::filesystem::path path_;
    int descriptor_ = -1;
};

}  // namespace deepfreq
