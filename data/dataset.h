#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace deepfreq {

/// Labelled samples in host memory, in the form a classifier uses.
struct Dataset {
    std::string name;                  ///< "mnist", "synthetic digits" …
    std::int64_t samples = 0;          ///< n
    std::int64_t features = 0;         ///< d, of one sample
    std::int32_t classes = 0;          ///< labels are 0 … classes-1
    std::vector<float> inputs;         ///< [n, d], row-major
    std::vector<std::int32_t> labels;  ///< [n]
    std::string checksum;              ///< MD5 of the unpacked files of the whole set
    /// Extents of an image, whose features are rows, then columns, then channels: d is their product. 0 if
    /// not specified.
    std::int64_t height = 0, width = 0, channels = 0;

    /// The first `count` samples. Throws InputError naming both numbers when there are fewer, or count < 1.
    Dataset first(std::int64_t count) const;
};

/// A set from bytes as stored in image files: `pixels` [n, d] of 0 … 255 become 0 … 1, `labels` [n] stay.
Dataset dataset_from_bytes(std::string name, std::int32_t classes, std::span<const std::uint8_t> pixels,
                           std::span<const std::uint8_t> labels, std::string checksum);

/// One set for training and one for validation.
struct TrainValidation {
    Dataset train;
    Dataset validation;
    std::string source;  ///< one line: where the samples come from
};

/// [n, classes]: row i is 1 at labels[i] and 0 elsewhere. Throws InputError for a label out of range.
std::vector<float> one_hot(std::span<const std::int32_t> labels, std::int32_t classes);

}  // namespace deepfreq
