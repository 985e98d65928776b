#include "data/split.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "common/error.h"
#include "common/philox.h"

namespace deepfreq {
namespace {

// All indices in random order: sorted by (key, index), as the batches of an epoch are.
std::vector<std::int64_t> shuffled(std::int64_t count, std::uint64_t seed) {
    const Philox random(seed, RandomUse::Split);
    std::vector<std::pair<std::uint64_t, std::int64_t>> keys;
    keys.reserve(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) keys.emplace_back(random.word64(i), i);
    std::ranges::sort(keys);
    std::vector<std::int64_t> order(keys.size());
    std::ranges::transform(keys, order.begin(), [](const auto& key) { return key.second; });
    return order;
}

// Divides `total` among the classes: equal parts, and the remainder one each to the classes that `order`
// lists from `first` on, cyclically.
std::vector<std::int64_t> quotas(std::int64_t total, std::span<const std::size_t> order, std::int64_t first) {
    const std::int64_t classes = std::ssize(order);
    std::vector<std::int64_t> quota(order.size(), total / classes);
    for (std::int64_t extra = 0; extra < total % classes; ++extra) ++quota[order[(first + extra) % classes]];
    return quota;
}

Split balanced_split(const std::string& name, const std::vector<std::string>& classes,
                     std::span<const std::uint8_t> labels, const SplitOptions& options) {
    std::vector<std::int64_t> available(classes.size());
    for (const std::uint8_t label : labels) ++available[label];
    std::vector<std::size_t> largest_first(classes.size());
    std::iota(largest_first.begin(), largest_first.end(), 0);
    std::ranges::stable_sort(largest_first, std::greater{}, [&](std::size_t c) { return available[c]; });
    // The remainder for training continues where that for validation ended, so that no class gives two
    // samples more than another unless it must.
    std::vector<std::int64_t> validation = quotas(options.validation, largest_first, 0);
    std::vector<std::int64_t> train = quotas(options.train, largest_first, options.validation);
    for (std::size_t c = 0; c < classes.size(); ++c)
        if (available[c] < train[c] + validation[c])
            throw InputError(
                "{}: {} samples of class {} found, {} expected for {} training and {} validation "
                "samples of {} classes in balance",
                name, available[c], classes[c], train[c] + validation[c], options.train, options.validation,
                classes.size());

    Split split;
    split.train.reserve(static_cast<std::size_t>(options.train));
    split.validation.reserve(static_cast<std::size_t>(options.validation));
    for (const std::int64_t i : shuffled(std::ssize(labels), options.seed)) {
        const std::uint8_t label = labels[i];
        if (validation[label]-- > 0)
            split.validation.push_back(i);
        else if (train[label]-- > 0)
            split.train.push_back(i);
    }
    return split;
}

}  // namespace

Split draw_split(const std::string& name, const std::vector<std::string>& classes,
                 std::span<const std::uint8_t> labels, const SplitOptions& options) {
    const std::int64_t samples = std::ssize(labels);
    for (const std::int64_t count : {options.train, options.validation})
        if (count < 1 || count > samples)
            throw InputError("{}: {} samples were asked for, 1 to {} expected (all there are)", name, count,
                             samples);
    if (options.train + options.validation > samples)
        throw InputError(
            "{}: {} training and {} validation samples were asked for, at most {} together expected", name,
            options.train, options.validation, samples);
    if (options.balanced) return balanced_split(name, classes, labels, options);
    const std::vector<std::int64_t> order = shuffled(samples, options.seed);
    return {{order.begin() + options.validation, order.begin() + options.validation + options.train},
            {order.begin(), order.begin() + options.validation}};
}

ScaledSplit split_images(const ImageSets& images, const SplitOptions& options) {
    const ImageSet& all = images.train;
    const Split split = draw_split(all.name, all.classes, all.labels, options);
    ScaledSplit result{{}, options.scale ? channel_scaling(all, split.train) : no_scaling(all)};
    result.sets = {to_dataset(all, split.train, result.scaling),
                   to_dataset(all, split.validation, result.scaling), images.source};
    return result;
}

}  // namespace deepfreq
