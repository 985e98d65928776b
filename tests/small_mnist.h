#pragma once

#include <fmt/core.h>

#include <random>
#include <string>

#include "tests/files.h"

namespace deepfreq {

/// A folder of noise with labels in MNIST's files, so that a run starts at once.
inline std::string small_data() {
    static const TemporaryFolder folder;
    static const bool written = [] {
        const auto big_endian = [](Bytes& bytes, std::uint32_t word) {
            for (int shift = 24; shift >= 0; shift -= 8)
                bytes.push_back(static_cast<std::uint8_t>(word >> shift));
        };
        std::mt19937 random(1);
        for (const auto& [name, count] : {std::pair{"train", 600U}, std::pair{"t10k", 100U}}) {
            Bytes images, labels;
            for (const std::uint32_t word : {2051U, count, 28U, 28U}) big_endian(images, word);
            for (const std::uint32_t word : {2049U, count}) big_endian(labels, word);
            for (std::uint32_t i = 0; i < count * 784; ++i)
                images.push_back(static_cast<std::uint8_t>(random() & 255));
            for (std::uint32_t i = 0; i < count; ++i)
                labels.push_back(static_cast<std::uint8_t>(random() % 10));
            write_file(folder.path / fmt::format("{}-images-idx3-ubyte", name), images);
            write_file(folder.path / fmt::format("{}-labels-idx1-ubyte", name), labels);
        }
        return true;
    }();
    REQUIRE(written);
    return folder.path.string();
}

}  // namespace deepfreq
