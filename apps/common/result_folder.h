#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace deepfreq {

/// A folder for results that are complete once keep() was called; otherwise what was written goes again, and
/// the folders that were made for it.
class ResultFolder {
  public:
    /// Makes it unless it is there. Throws InputError when it cannot be made or holds anything.
    explicit ResultFolder(std::filesystem::path path);
    ~ResultFolder();
    ResultFolder(const ResultFolder&) = delete;
    ResultFolder& operator=(const ResultFolder&) = delete;

    const std::filesystem::path& path() const { return path_; }
    /// Writes a file, whole or not at all. Throws as AtomicFile does.
    void write(const std::string& name, std::string_view text);
    void keep() { kept_ = true; }

  private:
    std::filesystem::path path_;
    std::vector<std::filesystem::path> made_;  ///< the innermost first
    std::vector<std::filesystem::path> written_;
    bool kept_ = false;
};

}  // namespace deepfreq
