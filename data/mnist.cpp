#include "data/mnist.h"

#include <fmt/core.h>

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

// A file of that name in the folder, in any of the forms in which it is distributed: plain or .gz, with a dot
// instead of the second dash (as archive managers write it), or in a folder of its own name (as on Kaggle).
std::optional<fs::path> find_file(const fs::path& folder, const std::string& name) {
    std::string dotted = name;
    dotted[dotted.find("-idx")] = '.';
    for (const std::string& plain : {name, dotted})
        for (const std::string& called : {plain, plain + ".gz"})
            for (const fs::path& path :
                 {folder / called, folder / plain / called, folder / called / called}) {
                std::error_code unreadable;  // a folder that we may not read has nothing for us
                if (fs::is_regular_file(path, unreadable)) return path;
            }
    return std::nullopt;
}

bool has_mnist(const fs::path& folder) {
    for (const MnistFile& file : mnist_files)
        if (!find_file(folder, file.name)) return false;
    return true;
}

// The first folder that holds all four files: the folder itself, its `mnist/`, or torchvision's `MNIST/raw/`.
std::optional<fs::path> find_mnist(const fs::path& folder) {
    for (const fs::path& base : {folder, folder / "mnist"})
        for (const fs::path& candidate : {base, base / "MNIST" / "raw", base / "raw"})
            if (has_mnist(candidate)) return candidate;
    return std::nullopt;
}

// Which files were looked for, and where.
std::string nothing_found(const std::string& folder) {
    for (const fs::path& candidate : {fs::path(folder), fs::path(folder) / "mnist"}) {
        std::error_code failure;
        if (fs::directory_iterator(candidate, failure); failure == std::errc::permission_denied)
            return fmt::format("{}: cannot be read: {}", candidate.string(), failure.message());
    }
    std::string names;
    for (const MnistFile& file : mnist_files)
        names += fmt::format("{}{}", names.empty() ? "" : ", ", file.name);
    return fmt::format(
        "{}: no MNIST found there, in its mnist/ or MNIST/raw/, the files {} expected, each plain or .gz",
        folder, names);
}

TrainValidation read_mnist(const fs::path& folder) {
    const auto read_pair = [&](std::size_t images, std::size_t labels) {
        return read_idx(*find_file(folder, mnist_files[images].name),
                        *find_file(folder, mnist_files[labels].name));
    };
    TrainValidation sets{read_pair(0, 1), read_pair(2, 3), fmt::format("MNIST from {}", folder.string())};
    const auto published = [](std::size_t images, std::size_t labels) {
        return fmt::format("{}, {}", mnist_files[images].md5, mnist_files[labels].md5);
    };
    // Fashion-MNIST has files of the same names, and so may a user's own digits.
    if (sets.train.checksum != published(0, 1) || sets.validation.checksum != published(2, 3)) {
        sets.train.name = sets.validation.name = "images in the format of MNIST";
        sets.source = fmt::format("28x28 images from {}, which are not MNIST: other checksums than published",
                                  folder.string());
    }
    return sets;
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

// The fallback when MNIST is not available: says so, and why.
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
    } catch (const std::runtime_error& error) {  // InputError and RunError
        // Another program may have filled the cache meanwhile.
        if (cache.empty() || !has_mnist(cache)) return fall_back(options, error.what());
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
