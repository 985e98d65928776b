#pragma once

#include <cstdint>

#include "common/philox.h"
#include "data/dataset.h"

namespace deepfreq::benchmarks {

/// Inputs uniform in (0, 1) and random labels: the values do not affect the time.
inline Dataset random_samples(std::int64_t n, std::int64_t features, std::int32_t classes) {
    const Philox random(0, RandomUse::Functions);
    Dataset set;
    set.name = "random";
    set.samples = n;
    set.features = features;
    set.classes = classes;
    set.inputs.resize(static_cast<std::size_t>(n * features));
    set.labels.resize(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < set.inputs.size(); ++i)
        set.inputs[i] = static_cast<float>(random.words(i)[0]) * 0x1p-32F;
    for (std::size_t i = 0; i < set.labels.size(); ++i)
        set.labels[i] = static_cast<std::int32_t>(random.words(i)[1] % static_cast<std::uint32_t>(classes));
    return set;
}

}  // namespace deepfreq::benchmarks
