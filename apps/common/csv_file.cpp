#include "apps/common/csv_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "common/error.h"

namespace deepfreq {

CsvFile::CsvFile(std::filesystem::path path, std::string_view header)
    : path_(std::move(path)),
      descriptor_(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644)),
      header_bytes_(static_cast<std::int64_t>(header.size()) + 1) {
    if (descriptor_ < 0) throw InputError("{}: cannot be written: {}", path_.string(), std::strerror(errno));
    std::string begin(header.size(), '\0');
    const ssize_t found = ::pread(descriptor_, begin.data(), begin.size(), 0);
    begin.resize(static_cast<std::size_t>(std::max<ssize_t>(found, 0)));
    if (!header.starts_with(begin)) {
        ::close(descriptor_);
        throw InputError("{}: a file that begins '{}' is there, expected none, or one of ours with '{}'",
                         path_.string(), begin.substr(0, begin.find('\n')), header);
    }
    if (settle() < header_bytes_) {
        cut_back(0);
        row(header);
    }
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
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

std::int64_t CsvFile::settle() {
    const off_t size = ::lseek(descriptor_, 0, SEEK_END);
    if (size < 0 || ::fsync(descriptor_) != 0)
        throw RunError("{}: writing failed: {}", path_.string(), std::strerror(errno));
    return size;
}

void CsvFile::cut_back(std::int64_t size) {
    const off_t found = ::lseek(descriptor_, 0, SEEK_END);
    if (found < size)
        throw InputError("{}: {} bytes found, at least the {} of the checkpoint expected", path_.string(),
                         found, size);
    if (::ftruncate(descriptor_, size) != 0)
        throw RunError("{}: writing failed: {}", path_.string(), std::strerror(errno));
}

}  // namespace deepfreq
