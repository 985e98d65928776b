#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

namespace deepfreq {

/// A CSV file that grows row by row. Together with its size at a checkpoint, a run that was killed is put
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

    /// Everything written so far is on the disk when this returns; the size of the file.
    std::int64_t settle();

    /// Cuts the file back to a size that settle() returned. Throws InputError when it is shorter than that.
    void cut_back(std::int64_t size);

    /// Cuts the file back to its header.
    void clear() { cut_back(header_bytes_); }

  private:
    void write(std::string_view text);

    std::filesystem::path path_;
    int descriptor_;
    std::int64_t header_bytes_;
};

}  // namespace deepfreq
