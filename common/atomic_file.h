#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string_view>

namespace deepfreq {

/// A file that appears under its name whole or not at all: written beside it as a file of its own (see
/// part_path), renamed by commit(), removed if commit() was never reached. Of several that are written at
/// once, in one program or in several, the last to be committed stays.
class AtomicFile {
  public:
    /// Opens the file beside it. Throws InputError when it cannot be created (folder missing, not writable).
    explicit AtomicFile(std::filesystem::path name);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    /// Appends bytes. Throws RunError naming the file and the reason (disk full …).
    void write(const void* bytes, std::size_t size);

    /// What is written until commit(): NAME.XXXXXX.part, X a letter or a digit.
    const std::filesystem::path& part_path() const { return part_; }

    /// Flushes to the disk and renames to the final name. Throws RunError; then the final name is untouched.
    void commit();

  private:
    std::filesystem::path name_;
    std::filesystem::path part_;
    int descriptor_;
};

/// Removes what programs that were killed left half-written in a folder: the parts of atomic files that were
/// not written to for so long.
void remove_abandoned_parts(const std::filesystem::path& folder, std::chrono::seconds unused_for);

/// Overwrites a small text file, whole or not at all. Throws as AtomicFile does.
void write_whole(const std::filesystem::path& name, std::string_view text);

}  // namespace deepfreq
