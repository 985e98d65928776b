#pragma once

#include <filesystem>
#include <string>

namespace deepfreq {

/// The value of an environment variable; "" if it is not set.
std::string environment(const char* name);

/// ($XDG_CACHE_HOME, if absolute, or ~/.cache)/deepfreq/`name`, which need not exist. Throws InputError if
/// neither $XDG_CACHE_HOME nor $HOME is set.
std::filesystem::path cache_folder(const std::string& name);

/// The same, created if it does not exist. Throws InputError if it cannot be created.
std::filesystem::path make_cache_folder(const std::string& name);

}  // namespace deepfreq
