#include "data/places.h"

#include <cstdlib>

#include "common/atomic_file.h"
#include "common/error.h"

namespace deepfreq {

namespace fs = std::filesystem;

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

fs::path cache_folder(const std::string& name) {
    // The XDG specification: a relative path is invalid, and is ignored.
    if (const std::string cache = environment("XDG_CACHE_HOME"); fs::path(cache).is_absolute())
        return fs::path(cache) / "deepfreq" / name;
    if (const std::string home = environment("HOME"); !home.empty())
        return fs::path(home) / ".cache" / "deepfreq" / name;
    throw InputError("there is no cache folder: neither $XDG_CACHE_HOME nor $HOME is set");
}

fs::path make_cache_folder(const std::string& name) {
    fs::path folder = cache_folder(name);
    std::error_code failure;
    fs::create_directories(folder, failure);
    if (failure) throw InputError("{}: cannot be created: {}", folder.string(), failure.message());
    remove_abandoned_parts(folder, std::chrono::hours(24));  // another program may be writing one now
    return folder;
}

}  // namespace deepfreq
