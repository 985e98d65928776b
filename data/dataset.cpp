#include "data/dataset.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/error.h"

namespace deepfreq {

Dataset Dataset::first(std::int64_t count) const {
    if (count < 1 || count > samples)
        throw InputError("{}: {} samples were asked for, 1 to {} expected (all there are)", name, count,
                         samples);
    Dataset part{name, count, features, classes, {}, {}, checksum, height, width, channels};
    part.inputs.assign(inputs.begin(), inputs.begin() + count * features);
    part.labels.assign(labels.begin(), labels.begin() + count);
    return part;
}

Dataset dataset_from_bytes(std::string name, std::int32_t classes, std::span<const std::uint8_t> pixels,
                           std::span<const std::uint8_t> labels, std::string checksum) {
    Dataset set{.name = std::move(name),
                .samples = std::ssize(labels),
                .features = std::ssize(pixels) / std::ssize(labels),
                .classes = classes,
                .inputs = std::vector<float>(pixels.size()),
                .labels = {labels.begin(), labels.end()},
                .checksum = std::move(checksum)};
    std::ranges::transform(pixels, set.inputs.begin(),
                           [](std::uint8_t pixel) { return static_cast<float>(pixel) / 255.0F; });
    return set;
}

std::vector<float> one_hot(std::span<const std::int32_t> labels, std::int32_t classes) {
    std::vector<float> rows(labels.size() * static_cast<std::size_t>(classes));
    for (std::size_t i = 0; i < labels.size(); ++i) {
        if (labels[i] < 0 || labels[i] >= classes)
            throw InputError("label {} of sample {} is out of range, 0 to {} expected", labels[i], i,
                             classes - 1);
        rows[i * static_cast<std::size_t>(classes) + static_cast<std::size_t>(labels[i])] = 1.0F;
    }
    return rows;
}

}  // namespace deepfreq
