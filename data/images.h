#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace deepfreq {

/// Labelled images as stored, a quarter of their size as a Dataset: 60000 of 32×32×3 are 184 MB.
struct ImageSet {
    std::string name;                                  ///< "cifar10", "synthetic images" …
    std::int64_t height = 0, width = 0, channels = 0;  ///< of every image
    std::vector<std::string> classes;                  ///< their names; labels are 0 … classes-1
    std::vector<std::uint8_t> pixels;                  ///< [n, height, width, channels], row-major
    std::vector<std::uint8_t> labels;                  ///< [n]
    std::string checksum;                              ///< MD5 of what the set was read from

    std::int64_t samples() const { return std::ssize(labels); }
    std::int64_t features() const { return height * width * channels; }
};

/// What a source of images holds. `test` is empty when there is only one set.
struct ImageSets {
    ImageSet train;
    ImageSet test;
    std::string source;  ///< one line: where the images come from
};

/// x -> (x - mean) / deviation in each channel, for pixels in 0 … 1.
struct ChannelScaling {
    std::vector<double> mean;       ///< [channels]
    std::vector<double> deviation;  ///< [channels], the standard deviation (1 for a channel that is constant)
};

/// The mean and the standard deviation of each channel over the given images (all pixels of all `rows`). The
/// sums are exact sums of integers, so the bits are the same for any number of threads.
ChannelScaling channel_scaling(const ImageSet& images, std::span<const std::int64_t> rows);

/// The scaling that leaves pixels as they are: 0 … 1.
ChannelScaling no_scaling(const ImageSet& images);

/// The images `rows`, in that order, scaled. This is where bytes become floats: 4 n d bytes, allocated once.
Dataset to_dataset(const ImageSet& images, std::span<const std::int64_t> rows, const ChannelScaling& scaling);

}  // namespace deepfreq
