#include "data/images.h"

#include <array>
#include <cmath>

namespace deepfreq {
namespace {

// The value that each byte of one channel becomes.
using Table = std::array<float, 256>;

std::vector<Table> tables(const ChannelScaling& scaling) {
    std::vector<Table> all(scaling.mean.size());
    for (std::size_t c = 0; c < all.size(); ++c)
        for (std::size_t byte = 0; byte < 256; ++byte)
            all[c][byte] = static_cast<float>((static_cast<double>(byte) / 255.0 - scaling.mean[c]) /
                                              scaling.deviation[c]);
    return all;
}

}  // namespace

ChannelScaling no_scaling(const ImageSet& images) {
    const auto channels = static_cast<std::size_t>(images.channels);
    return {std::vector<double>(channels, 0.0), std::vector<double>(channels, 1.0)};
}

ChannelScaling channel_scaling(const ImageSet& images, std::span<const std::int64_t> rows) {
    ChannelScaling scaling = no_scaling(images);
    const std::int64_t count = std::ssize(rows);
    const std::int64_t features = images.features();
    const double pixels = static_cast<double>(count * images.height * images.width);
    for (std::int64_t c = 0; c < images.channels; ++c) {
        std::int64_t sum = 0;
        std::int64_t sum_of_squares = 0;
#pragma omp parallel for schedule(static) reduction(+ : sum, sum_of_squares)
        for (std::int64_t i = 0; i < count; ++i) {
            const std::uint8_t* image = images.pixels.data() + rows[i] * features;
            for (std::int64_t j = c; j < features; j += images.channels) {
                sum += image[j];
                sum_of_squares += image[j] * image[j];
            }
        }
        const double mean = static_cast<double>(sum) / pixels;
        const double variance = static_cast<double>(sum_of_squares) / pixels - mean * mean;
        scaling.mean[c] = mean / 255.0;
        if (variance > 0.0)  // for a constant channel all three are integers, and it is exactly 0
            scaling.deviation[c] = std::sqrt(variance) / 255.0;
    }
    return scaling;
}

Dataset to_dataset(const ImageSet& images, std::span<const std::int64_t> rows,
                   const ChannelScaling& scaling) {
    const std::int64_t count = std::ssize(rows);
    const std::int64_t features = images.features();
    const std::int64_t channels = images.channels;
    Dataset set{.name = images.name,
                .samples = count,
                .features = features,
                .classes = static_cast<std::int32_t>(images.classes.size()),
                .inputs = std::vector<float>(static_cast<std::size_t>(count * features)),
                .labels = std::vector<std::int32_t>(rows.size()),
                .checksum = images.checksum,
                .height = images.height,
                .width = images.width,
                .channels = channels};
    const std::vector<Table> becomes = tables(scaling);
#pragma omp parallel for schedule(static)
    for (std::int64_t i = 0; i < count; ++i) {
        const std::uint8_t* image = images.pixels.data() + rows[i] * features;
        float* row = set.inputs.data() + i * features;
        for (std::int64_t j = 0; j < features; j += channels)
            for (std::int64_t c = 0; c < channels; ++c) row[j + c] = becomes[c][image[j + c]];
        set.labels[i] = images.labels[rows[i]];
    }
    return set;
}

}  // namespace deepfreq
