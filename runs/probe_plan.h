#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/spectrum_probe.h"

namespace deepfreq {

/// At which epochs a run measures its layers.
struct ProbedEpochs {
    bool automatic = true;                  ///< at 0, and at 1, 2, 5 times the powers of ten
    bool last = true;                       ///< at the last epoch, whichever it is
    std::vector<std::int64_t> listed = {};  ///< at these
    std::int64_t every = 0;                 ///< at all multiples of this, unless it is 0

    /// Whether `is_last` counts where the last epoch is asked for.
    bool is_due(std::int64_t epoch, bool is_last) const;
};

/// Which layers, in the paper's indices, which may be negative.
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

    /// Of a network of `depth` layers, from the input on; what is named twice is measured once. Throws
    /// InputError for layers it has not.
    std::vector<ProbedSet> sets(int depth) const;
    /// "the hidden", or the names listed.
    std::string text() const;
};

/// When and how a run measures its layers.
struct ProbePlan {
    ProbedEpochs epochs;
    ProbedLayers layers;
    std::int64_t samples = 0;  ///< the first so many training samples; 0: all
    FilterGridRequest grid;
    ColumnScaling scaling = ColumnScaling::MaxAbs;
    LowFrequencyParams filter;

    /// For a network of `depth` layers. Throws InputError for layers it has not and too many samples.
    ProbeOptions options(int depth, std::int64_t train_samples) const;
};

}  // namespace deepfreq
