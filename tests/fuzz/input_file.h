#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

#include "common/error.h"

// What the fuzz targets share: the bytes to try as a file, and what may come of it.

namespace deepfreq::fuzz {

using Input = std::span<const std::uint8_t>;

/// What the fuzzer takes for a crash unless it holds.
inline void require(bool holds) {
    if (!holds) std::abort();
}

/// A file in memory with a name.
class InputFile {
  public:
    InputFile() : descriptor_(memfd_create("fuzz", 0)) { require(descriptor_ >= 0); }
    ~InputFile() { ::close(descriptor_); }
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;

    /// The file with these bytes.
    std::filesystem::path holding(Input bytes) const {
        require(ftruncate(descriptor_, 0) == 0);
        require(pwrite(descriptor_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
        return "/proc/self/fd/" + std::to_string(descriptor_);
    }

  private:
    int descriptor_;
};

/// A folder that goes at the end of the program.
struct Folder {
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "deepfreq-fuzz-XXXXXX").string();
        require(::mkdtemp(name.data()) != nullptr);
        path = name;
    }
    ~Folder() { std::filesystem::remove_all(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::filesystem::path path;
};

/// Calls `read`: an InputError of one sentence is well, any other exception is not.
template <class Read>
void refuse_or(Read read) {
    try {
        read();
    } catch (const InputError& error) {
        require(error.what()[0] != '\0');
    }
}

/// Two parts of the input: the first two bytes say where it is divided.
inline std::pair<Input, Input> in_two(Input input) {
    if (input.size() < 2) return {input, {}};
    const Input rest = input.subspan(2);
    const std::size_t first = rest.empty() ? 0 : (input[0] + 256U * input[1]) % (rest.size() + 1);
    return {rest.first(first), rest.subspan(first)};
}

}  // namespace deepfreq::fuzz
