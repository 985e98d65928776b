#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace deepfreq {

/// The extent of a CSV file: its size, and the CRC-32 of all its bytes.
struct CsvExtent {
    std::int64_t bytes = 0;
    std::uint32_t crc32 = 0;
};

/// A CSV file that grows row by row. Its extent at a checkpoint lets a run that was killed return to exactly
/// that point: rows written since are cut off and written again.
class CsvFile {
  public:
    /// Opens `path` for appending; writes a line with `header` first if it is new or empty.
    /// Throws InputError when it cannot be written or does not begin with that header.
    CsvFile(std::filesystem::path path, std::string_view header);
    ~CsvFile();
    CsvFile(const CsvFile&) = delete;
    CsvFile& operator=(const CsvFile&) = delete;

    const std::filesystem::path& path() const { return path_; }

    /// Appends one line. Throws RunError naming the file and the reason.
    void row(std::string_view line);

    /// Returns the file's extent once everything written so far is on disk. Throws RunError when another
    /// program has changed or replaced the file since.
    CsvExtent settle();

    /// Throws InputError unless the file begins with what it held when settle() returned this extent.
    void check(const CsvExtent& extent) const;

    /// Cuts the file back to this extent. Throws as check() does.
    void cut_back(const CsvExtent& extent);

    /// Cuts the file back to its header.
    void clear();

  private:
    void write(std::string_view text);
    void truncate(const CsvExtent& extent);

    std::filesystem::path path_;
    std::string header_;
    int descriptor_;
    CsvExtent extent_;  ///< of what this object accounts for
};

}  // namespace deepfreq
