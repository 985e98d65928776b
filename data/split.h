#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/images.h"

namespace deepfreq {

/// How many labelled samples to use for training and validation, and the seed with which they are drawn.
struct SplitOptions {
    std::int64_t train = 40000;  ///< the paper's numbers for CIFAR-10
    std::int64_t validation = 10000;
    std::uint64_t seed = 0;
    bool balanced =
        true;           ///< class counts of each set differ by at most one; false: drawn regardless of class
    bool scale = true;  ///< each channel to mean 0 and standard deviation 1 over the training samples
};

/// Indices of samples, each set in random order; no sample is in both.
struct Split {
    std::vector<std::int64_t> train;
    std::vector<std::int64_t> validation;
};

/// Draws both sets, balanced or not (options.balanced). For one seed the validation samples are the same for
/// any number of training samples. Labels are 0 … classes.size()-1; `name` and `classes` are for messages.
/// Throws InputError for a count < 1, and when there are fewer samples than requested, in total or, if
/// balanced, in one class.
Split draw_split(const std::string& name, const std::vector<std::string>& classes,
                 std::span<const std::uint8_t> labels, const SplitOptions& options);

/// Training and validation samples in a network's input format, and the scaling of both, for the manifest.
struct ScaledSplit {
    TrainValidation sets;
    ChannelScaling scaling;
};

/// Both sets from the labelled training images, scaled alike by constants of the training samples only (left
/// in 0 … 1 when `scale` is false). The images of `test` are not used.
ScaledSplit split_images(const ImageSets& images, const SplitOptions& options);

}  // namespace deepfreq
