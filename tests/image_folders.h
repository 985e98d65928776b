#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "common/error.h"
#include "data/image_folder.h"
#include "tests/image_files.h"

// Small folders of images, and a cache of their own.

namespace deepfreq::image_folders {

inline constexpr int height = 3;
inline constexpr int width = 4;

/// Image k of a set: value j is (31 k + 7 j) mod 256.
inline Bytes some_pixels(int k, int channels = 3) {
    Bytes pixels(height * width * static_cast<std::size_t>(channels));
    for (std::size_t j = 0; j < pixels.size(); ++j) pixels[j] = static_cast<std::uint8_t>(31 * k + 7 * j);
    return pixels;
}

inline Bytes some_png(int k) {
    return png(height, width, 3, some_pixels(k));
}

/// One colour, in which JPEG is exact but for rounding.
inline Bytes one_colour(const Bytes& colour, int rows, int columns) {
    Bytes pixels;
    for (int i = 0; i < rows * columns; ++i) pixels.insert(pixels.end(), colour.begin(), colour.end());
    return pixels;
}

inline Bytes joined(std::initializer_list<Bytes> parts) {
    Bytes all;
    for (const Bytes& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

/// A folder of images, and a cache folder of its own; what is told goes to `notices`.
struct ImageFolderTest {
    TemporaryFolder folder;
    TemporaryFolder cache;
    ScopedVariable variable{"XDG_CACHE_HOME", cache.path.string()};
    std::vector<std::string> notices;

    void add(const std::string& name, const Bytes& bytes) const { write_file(folder.path / name, bytes); }
    ImageSets load(bool skip_bad_images = false) {
        return load_image_folder(folder.path,
                                 {.skip_bad_images = skip_bad_images,
                                  .notice = [this](const std::string& line) { notices.push_back(line); }});
    }
    // The message of the InputError that loading throws; "" if it does not.
    std::string refusal(bool skip_bad_images = false) {
        try {
            load(skip_bad_images);
        } catch (const InputError& error) {
            return error.what();
        }
        return "";
    }
    std::string path(const std::string& name) const { return (folder.path / name).string(); }
    std::filesystem::path cache_file() const {
        for (const auto& entry : std::filesystem::directory_iterator(cache.path / "deepfreq" / "images"))
            return entry.path();
        return {};
    }
};

}  // namespace deepfreq::image_folders
