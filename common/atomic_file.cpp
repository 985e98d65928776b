#include "common/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/error.h"

namespace deepfreq {

AtomicFile::AtomicFile(std::filesystem::path name)
    : name_(std::move(name)), part_(name_.string() + ".part"), descriptor_(-1) {
    descriptor_ = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (descriptor_ < 0) throw InputError("{}: cannot be written: {}", name_.string(), std::strerror(errno));
}

AtomicFile::~AtomicFile() {
    if (descriptor_ < 0) return;
    ::close(descriptor_);
    ::unlink(part_.c_str());
}

void AtomicFile::write(const void* bytes, std::size_t size) {
    const char* next = static_cast<const char*>(bytes);
    while (size > 0) {
        const ssize_t written = ::write(descriptor_, next, size);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) throw RunError("{}: writing failed: {}", name_.string(), std::strerror(errno));
        next += written;
        size -= static_cast<std::size_t>(written);
    }
}

void AtomicFile::commit() {
    if (::fsync(descriptor_) != 0 || ::rename(part_.c_str(), name_.c_str()) != 0)
        throw RunError("{}: writing failed: {}", name_.string(), std::strerror(errno));
    ::close(descriptor_);
    descriptor_ = -1;
}

void write_whole(const std::filesystem::path& name, std::string_view text) {
    AtomicFile file(name);
    file.write(text.data(), text.size());
    file.commit();
}

}  // namespace deepfreq
