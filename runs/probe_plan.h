#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/spectrum_probe.h"

namespace deepfreq {

/// At which epochs a run measures its layers.
struct ProbedEpochs {
    bool automatic = true;                  ///< at 0, and at 1, 2 and 5 times the powers of ten
    bool last = true;                       ///< at the last epoch, whichever it is
    std::vector<std::int64_t> listed = {};  ///< at these
    std::int64_t every = 0;                 ///< at all multiples of this, unless it is 0

    /// Whether to measure at this epoch; `is_last` counts if the last epoch is requested.
    bool is_due(std::int64_t epoch, bool is_last) const;
};

/// Which layers a run measures, by the paper's indices, which may be negative.
struct ProbedLayers {
    enum class Kind { Hidden, HiddenAndInput, Listed };
    struct Item {
        std::int64_t layer = 0;
        std::optional<std::int64_t> target;  ///< f[target] in place of the labels
        bool softmax = false;                ///< of the target
        std::string name;                    ///< in the CSV files
    };
    Kind kind = Kind::Hidden;
    std::vector<Item> listed = {};

    /// For a network of `depth` layers, from the input on; what is listed twice is measured once. Throws
    /// InputError for layers that do not exist.
    std::vector<ProbedSet> sets(int depth) const;
    /// "the hidden", or the listed names.
    std::string text() const;
};

/// When and how a run measures its layers.
struct ProbePlan {
    ProbedEpochs epochs;
    ProbedLayers layers;
    std::int64_t samples = 0;  ///< number of training samples, from the first on; 0: all
    FilterGridRequest grid;
    ColumnScaling scaling = ColumnScaling::MaxAbs;
    LowFrequencyParams filter;

    /// For a network of `depth` layers. Throws InputError for layers that do not exist or too many samples.
    ProbeOptions options(int depth, std::int64_t train_samples) const;
};

}  // namespace deepfreq
