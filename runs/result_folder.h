#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runs/owned_folder.h"

namespace deepfreq {

/// A folder for results that are complete once keep() is called; otherwise what was written is removed again,
/// along with the folders that were created for it.
class ResultFolder {
  public:
    /// Creates the folder unless it exists. Throws InputError when it cannot be created, is not empty, or
    /// another process uses it.
    explicit ResultFolder(const std::filesystem::path& path);
    /// Creates the next free one of `stem`-001, `stem`-002 …
    static ResultFolder next(const std::filesystem::path& stem);
    ~ResultFolder();
    ResultFolder(const ResultFolder&) = delete;
    ResultFolder& operator=(const ResultFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    /// Writes a file, whole or not at all. Throws as AtomicFile does.
    void write(const std::string& name, std::string_view text);
    void keep() { kept_ = true; }

  private:
    ResultFolder(std::vector<std::filesystem::path> made, OwnedFolder owned);

    std::vector<std::filesystem::path> made_;  ///< innermost first
    std::optional<OwnedFolder> owned_;
    std::filesystem::path path_;
    std::vector<std::filesystem::path> written_;
    bool kept_ = false;
};

}  // namespace deepfreq
