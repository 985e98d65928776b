#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string_view>

namespace deepfreq {

/// A file that appears under its name whole or not at all: it is written to a separate file next to it (see
/// part_path), renamed by commit(), and removed if commit() was never reached. If several are written at the
/// same time, in one program or in several, the last one committed stays.
class AtomicFile {
  public:
    /// Opens the separate file. Throws InputError if it cannot be created (folder missing, not writable).
    explicit AtomicFile(std::filesystem::path name);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    /// Appends bytes. Throws RunError naming the file and the reason (disk full …).
    void write(const void* bytes, std::size_t size);

    /// The file written to until commit(): NAME.XXXXXX.part, where X is a letter or a digit.
    const std::filesystem::path& part_path() const { return part_; }

    /// Flushes to disk and renames to the final name. Throws RunError; the final name is then untouched.
    void commit();

  private:
    std::filesystem::path name_;
    std::filesystem::path part_;
    int descriptor_;
};

/// Removes what killed programs left half-written in a folder: the parts of atomic files that have not been
/// written to for at least `unused_for`.
void remove_abandoned_parts(const std::filesystem::path& folder, std::chrono::seconds unused_for);

/// Overwrites a small text file, whole or not at all. Throws as AtomicFile does.
void write_whole(const std::filesystem::path& name, std::string_view text);

}  // namespace deepfreq
