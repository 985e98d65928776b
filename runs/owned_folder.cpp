#include "runs/owned_folder.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/atomic_file.h"
#include "common/error.h"
#include "runs/report.h"

namespace deepfreq {
namespace {

namespace fs = std::filesystem;

// A lock on the whole file, for this process; child processes do not inherit it.
struct flock exclusive() {
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

std::string owner_of(int descriptor) {
    struct flock lock = exclusive();
    const bool known = fcntl(descriptor, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0;
    return known ? fmt::format("process {}", lock.l_pid) : "another process";
}

// Whether the locked file still exists under its name: its previous owner may have removed it.
bool is_there(int descriptor, const fs::path& path) {
    struct stat locked {
    }, named{};
    return fstat(descriptor, &locked) == 0 && stat(path.c_str(), &named) == 0 &&
           locked.st_ino == named.st_ino && locked.st_dev == named.st_dev;
}

}  // namespace

OwnedFolder::OwnedFolder(fs::path path) : path_(std::move(path)) {
    const fs::path file = path_ / lock_name;
    do {
        if (descriptor_ >= 0) ::close(descriptor_);
        descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (descriptor_ < 0)
            throw InputError("{}: cannot be written: {}", path_.string(), std::strerror(errno));
        struct flock lock = exclusive();
        if (fcntl(descriptor_, F_SETLK, &lock) == 0) continue;
        if (errno != EACCES && errno != EAGAIN) {
            warn(
                "warning: {}: its file system gives no lock ({}): "
                "take care that no second program works on it",
                path_.string(), std::strerror(errno));
            continue;
        }
        const std::string owner = owner_of(descriptor_);
        ::close(descriptor_);
        throw InputError("{}: {} is working on it: wait for its end, or stop it first", path_.string(),
                         owner);
    } while (!is_there(descriptor_, file));
    remove_abandoned_parts(path_, std::chrono::seconds(0));
}

OwnedFolder::OwnedFolder(OwnedFolder&& other) noexcept
    : path_(std::move(other.path_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

OwnedFolder::~OwnedFolder() {
    if (descriptor_ < 0) return;
    ::unlink((path_ / lock_name).c_str());  // while it is locked: who gets it next checks the name again
    ::close(descriptor_);
}

OwnedFolder OwnedFolder::next(const fs::path& stem) {
    std::error_code error;
    fs::create_directories(stem.parent_path(), error);
    for (int number = 1; !error; ++number) {
        const fs::path candidate = fmt::format("{}-{:03}", stem.string(), number);
        if (fs::create_directory(candidate, error)) return OwnedFolder(candidate);
        if (error == std::errc::file_exists) error.clear();  // a file already has that name
    }
    throw InputError("{}: the folder cannot be made: {}", stem.parent_path().string(), error.message());
}

}  // namespace deepfreq
