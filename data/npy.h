#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace deepfreq {

/// An array that NumPy's save() wrote, read from the first row to the last a few rows at a time, so that one
/// larger than half the memory can be read too. Formats 1 to 3, little-endian, in C order, with one or two
/// axes; float32, float64 or integers of 1 to 8 bytes.
class NpyFile {
  public:
    /// Reads the header and checks the size of the file against it. Throws InputError naming the file, what
    /// was found and what was expected, for files that are missing, damaged, empty or of another kind.
    explicit NpyFile(std::filesystem::path path);

    std::string name() const { return path_.string(); }
    const std::vector<std::int64_t>& shape() const { return shape_; }
    const std::string& dtype() const { return dtype_; }  ///< such as "<f4"
    bool has_integers() const { return dtype_[1] != 'f'; }
    std::int64_t rows() const { return shape_[0]; }
    std::int64_t columns() const { return shape_.size() == 1 ? 1 : shape_[1]; }  ///< 1 with a single axis
    /// Such as "float [3000, 784]", for the log.
    std::string description() const;

    /// The next rows, as many as fit into `to`. Throws InputError naming row and column of a number that is
    /// not finite or exceeds float32, or when the file holds integers.
    void read(std::span<float> to);
    /// The same in double precision.
    void read(std::span<double> to);
    /// The same for integers. Throws InputError when the file holds other types or a number exceeds int64.
    void read(std::span<std::int64_t> to);

    /// Continues reading from that row.
    void seek(std::int64_t row);

  private:
    template <class Number>
    void read_floats(std::span<Number> to);
    void read_header();
    void check_size() const;
    void read_bytes(void* to, std::size_t bytes);
    std::size_t item_bytes() const { return static_cast<std::size_t>(dtype_[2] - '0'); }
    /// "row 3, column 4" of the i-th of the numbers to be read next.
    std::string place(std::size_t i) const;

    std::filesystem::path path_;
    std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
    std::string dtype_;
    std::vector<std::int64_t> shape_;
    std::uint64_t data_begin_ = 0;
    std::int64_t numbers_read_ = 0;
};

}  // namespace deepfreq
