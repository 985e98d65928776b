#include "data/mnist.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <optional>

#include "common/error.h"
#include "data/idx.h"
#include "data/places.h"

namespace deepfreq {
namespace {

namespace fs = std::filesystem;

struct MnistFile {
    const char* name;
    const char* md5;  ///< published, of the unpacked file
};

// Training images and labels, validation images and labels.
constexpr std::array<MnistFile, 4> mnist_files = {{
    {"train-images-idx3-ubyte", "6bbc9ace898e44ae57da46a324031adb"},
    {"train-labels-idx1-ubyte", "a25bea736e30d166cdddb491f175f624"},
    {"t10k-images-idx3-ubyte", "2646ac647ad5339dbf082846283269ea"},
    {"t10k-labels-idx1-ubyte", "27ae3e4e09519cfbb04c329615203637"},
}};

// NAME or NAME.gz in the folder; nothing if neither is there.
std::optional<fs::path> find_file(const fs::path& folder, const std::string& name) {
    std::error_code unreadable;  // a folder we may not look into has nothing for us
    for (const fs::path& path : {folder / name, folder / (name + ".gz")})
        if (fs::exists(path, unreadable)) return path;
    return std::nullopt;
}

bool has_mnist(const fs::path& folder) {
    for (const MnistFile& file : mnist_files)
        if (!find_file(folder, file.name)) return false;
    return true;
}

// The folder itself or its `mnist/`, whichever holds all four files.
std::optional<fs::path> find_mnist(const fs::path& folder) {
    for (const fs::path& candidate : {folder, folder / "mnist"})
        if (has_mnist(candidate)) return candidate;
    return std::nullopt;
}

// Which files were looked for, and where.
std::string nothing_found(const std::string& folder) {
    std::string names;
    for (const MnistFile& file : mnist_files)
        names += fmt::format("{}{}", names.empty() ? "" : ", ", file.name);
    return fmt::format("{}: no MNIST found there or in its mnist/, the files {} expected, each plain or .gz",
                       folder, names);
}

TrainValidation read_mnist(const fs::path& folder) {
    const auto read_pair = [&](std::size_t images, std::size_t labels) {
        return read_idx(*find_file(folder, mnist_files[images].name),
                        *find_file(folder, mnist_files[labels].name));
    };
    return {read_pair(0, 1), read_pair(2, 3), fmt::format("MNIST from {}", folder.string())};
}

// Fetches those of the four files that are not in the cache folder yet.
void download_mnist(const MnistOptions& options) {
    const fs::path folder = make_cache_folder("mnist");
    for (const MnistFile& file : mnist_files) {
        if (find_file(folder, file.name)) continue;
        const std::string packed = std::string(file.name) + ".gz";
        std::vector<std::string> urls;
        for (const std::string& mirror : options.mirrors) urls.push_back(mirror + packed);
        if (options.notice) options.notice(fmt::format("downloading {} to {}", packed, folder.string()));
        download(urls, folder / packed, file.md5, options.download);
    }
}

// What is left when MNIST cannot be had: says so, and why.
TrainValidation fall_back(const MnistOptions& options, const std::string& reason) {
    TrainValidation digits = synthetic_digits(options.synthetic);
    digits.source += fmt::format(", NOT MNIST: {}", reason);
    return digits;
}

TrainValidation read_or_download(const MnistOptions& options) {
    fs::path cache;
    try {
        cache = cache_folder("mnist");
        if (!has_mnist(cache)) download_mnist(options);
    } catch (const InputError& error) {
        return fall_back(options, error.what());
    } catch (const RunError& error) {
        return fall_back(options, error.what());
    }
    return read_mnist(cache);
}

}  // namespace

TrainValidation load_mnist(const MnistOptions& options) {
    if (options.data == "synthetic") return synthetic_digits(options.synthetic);
    if (!options.data.empty()) {
        const auto folder = find_mnist(options.data);
        if (!folder) throw InputError("{}", nothing_found(options.data));
        return read_mnist(*folder);
    }
    if (const std::string data = environment("DEEPFREQ_DATA"); !data.empty()) {
        if (const auto folder = find_mnist(data)) return read_mnist(*folder);
        if (options.notice) options.notice("$DEEPFREQ_DATA = " + nothing_found(data));
    }
    return read_or_download(options);
}

}  // namespace deepfreq
