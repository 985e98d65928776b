#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace deepfreq {

/// How far a CSV file is: its size, and the CRC-32 of all its bytes.
struct CsvExtent {
    std::int64_t bytes = 0;
    std::uint32_t crc32 = 0;
};

/// A CSV file that grows row by row. Together with its extent at a checkpoint, a run that was killed is put
/// back to exactly there: rows written since are cut off and written again.
class CsvFile {
  public:
    /// Opens `path` to append, after a line with `header` when it is new or empty.
    /// Throws InputError when it cannot be written or begins with anything else.
    CsvFile(std::filesystem::path path, std::string_view header);
    ~CsvFile();
    CsvFile(const CsvFile&) = delete;
    CsvFile& operator=(const CsvFile&) = delete;

    const std::filesystem::path& path() const { return path_; }

    /// Appends one line. Throws RunError naming the file and the reason.
    void row(std::string_view line);

    /// Everything written so far is on the disk when this returns; the extent of the file. Throws RunError
    /// when another program has changed or replaced it since.
    CsvExtent settle();

    /// Throws InputError unless the file begins with what it held when settle() returned this.
    void check(const CsvExtent& extent) const;

    /// Cuts the file back to there. Throws as check() does.
    void cut_back(const CsvExtent& extent);

    /// Cuts the file back to its header.
    void clear();

  private:
    void write(std::string_view text);
    void truncate(const CsvExtent& extent);

    std::filesystem::path path_;
    std::string header_;
    int descriptor_;
    CsvExtent extent_;  ///< of what is ours
};

}  // namespace deepfreq
