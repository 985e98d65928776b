#include "common/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "common/error.h"

namespace deepfreq {

namespace {

constexpr std::string_view part_ending = ".part";

// With the permissions open(2) would give it: mkostemps grants access to the owner only.
mode_t usual_mode() {
    static const mode_t mask = [] {
        const mode_t now = ::umask(0);  // it cannot be read without being set
        ::umask(now);
        return now;
    }();
    return 0644 & ~mask;
}

bool is_part_name(std::string_view name) {
    constexpr std::size_t drawn = std::string_view(".XXXXXX").size();
    if (!name.ends_with(part_ending) || name.size() <= drawn + part_ending.size()) return false;
    name.remove_suffix(part_ending.size());
    const std::string_view letters = name.substr(name.size() - drawn);
    return letters[0] == '.' && std::ranges::all_of(letters.substr(1), [](char letter) {
               return std::isalnum(static_cast<unsigned char>(letter)) != 0;
           });
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path name) : name_(std::move(name)), descriptor_(-1) {
    std::string part = name_.string() + ".XXXXXX" + std::string(part_ending);
    descriptor_ = ::mkostemps(part.data(), static_cast<int>(part_ending.size()), O_CLOEXEC);
    if (descriptor_ < 0) throw InputError("{}: cannot be written: {}", name_.string(), std::strerror(errno));
    part_ = part;
    ::fchmod(descriptor_, usual_mode());
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

void remove_abandoned_parts(const std::filesystem::path& folder, std::chrono::seconds unused_for) {
    std::error_code error;
    const auto now = std::filesystem::file_time_type::clock::now();
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        std::error_code gone;
        if (!is_part_name(entry->path().filename().string()) || !entry->is_regular_file(gone)) continue;
        if (const auto written = entry->last_write_time(gone); !gone && now - written >= unused_for)
            std::filesystem::remove(entry->path(), gone);
    }
}

void write_whole(const std::filesystem::path& name, std::string_view text) {
    AtomicFile file(name);
    file.write(text.data(), text.size());
    file.commit();
}

}  // namespace deepfreq
