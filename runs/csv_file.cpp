#include "runs/csv_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

#include "common/error.h"

namespace deepfreq {
namespace {

// Extent and checksum of the file's first `bytes`, or of as many as there are.
CsvExtent extent_of_beginning(int descriptor, std::int64_t bytes) {
    CsvExtent extent;
    std::array<Bytef, 1 << 16> block;
    while (extent.bytes < bytes) {
        const auto wanted =
            static_cast<std::size_t>(std::min<std::int64_t>(std::ssize(block), bytes - extent.bytes));
        const ssize_t found = ::pread(descriptor, block.data(), wanted, extent.bytes);
        if (found < 0 && errno == EINTR) continue;
        if (found <= 0) break;
        extent.crc32 =
            static_cast<std::uint32_t>(crc32_z(extent.crc32, block.data(), static_cast<std::size_t>(found)));
        extent.bytes += found;
    }
    return extent;
}

}  // namespace

CsvFile::CsvFile(std::filesystem::path path, std::string_view header)
    : path_(std::move(path)),
      header_(header),
      descriptor_(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644)) {
    if (descriptor_ < 0) throw InputError("{}: cannot be written: {}", path_.string(), std::strerror(errno));
    std::string begin(header.size(), '\0');
    const ssize_t found = ::pread(descriptor_, begin.data(), begin.size(), 0);
    begin.resize(static_cast<std::size_t>(std::max<ssize_t>(found, 0)));
    if (!header.starts_with(begin)) {
        ::close(descriptor_);
        throw InputError("{}: a file that begins '{}' is there, expected none, or one of ours with '{}'",
                         path_.string(), begin.substr(0, begin.find('\n')), header);
    }
    extent_ = extent_of_beginning(descriptor_, std::numeric_limits<std::int64_t>::max());
    if (extent_.bytes <= std::ssize(header)) clear();
}

CsvFile::~CsvFile() {
    ::close(descriptor_);
}

void CsvFile::row(std::string_view line) {
    write(std::string(line) + '\n');
}

void CsvFile::write(std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(descriptor_, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) throw RunError("{}: writing failed: {}", path_.string(), std::strerror(errno));
        const auto count = static_cast<std::size_t>(written);
        extent_.crc32 = static_cast<std::uint32_t>(
            crc32_z(extent_.crc32, reinterpret_cast<const Bytef*>(text.data()), count));
        extent_.bytes += written;
        text.remove_prefix(count);
    }
}

CsvExtent CsvFile::settle() {
    struct stat ours {
    }, named{};
    if (::fsync(descriptor_) != 0 || ::fstat(descriptor_, &ours) != 0)
        throw RunError("{}: writing failed: {}", path_.string(), std::strerror(errno));
    const bool there = ::stat(path_.c_str(), &named) == 0 && named.st_ino == ours.st_ino;
    if (!there || ours.st_size != extent_.bytes)
        throw RunError(
            "{}: {} by another program while the run goes on: {} bytes found, the {} that were "
            "written expected",
            path_.string(), there ? "changed" : "replaced or removed", there ? ours.st_size : named.st_size,
            extent_.bytes);
    return extent_;
}

void CsvFile::check(const CsvExtent& extent) const {
    const CsvExtent found = extent_of_beginning(descriptor_, extent.bytes);
    if (found.bytes < extent.bytes)
        throw InputError("{}: {} bytes found, at least the {} of the checkpoint expected", path_.string(),
                         found.bytes, extent.bytes);
    if (found.crc32 != extent.crc32)
        throw InputError(
            "{}: changed since the checkpoint was written: CRC-32 {:08x} of its first {} bytes "
            "found, {:08x} expected (saved by a spreadsheet? Put back the file as it was)",
            path_.string(), found.crc32, extent.bytes, extent.crc32);
}

void CsvFile::cut_back(const CsvExtent& extent) {
    check(extent);
    truncate(extent);
}

void CsvFile::clear() {
    truncate({});
    row(header_);
}

void CsvFile::truncate(const CsvExtent& extent) {
    if (::ftruncate(descriptor_, extent.bytes) != 0)
        throw RunError("{}: writing failed: {}", path_.string(), std::strerror(errno));
    extent_ = extent;
}

}  // namespace deepfreq
