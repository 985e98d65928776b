#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

namespace deepfreq {

/// A file that appears under its name whole or not at all: written beside it as `NAME.part`, renamed by
/// commit(), removed if commit() was never reached.
class AtomicFile {
  public:
    /// Opens `NAME.part`. Throws InputError when it cannot be created (folder missing, not writable).
    explicit AtomicFile(std::filesystem::path name);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    /// Appends bytes. Throws RunError naming the file and the reason (disk full …).
    void write(const void* bytes, std::size_t size);

    /// Flushes to the disk and renames to the final name. Throws RunError; then the final name is untouched.
    void commit();

  private:
    std::filesystem::path name_;
    std::filesystem::path part_;
    int descriptor_;
};

/// Overwrites a small text file, whole or not at all. Throws as AtomicFile does.
void write_whole(const std::filesystem::path& name, std::string_view text);

}  // namespace deepfreq
