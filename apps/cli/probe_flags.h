#pragma once

#include <cstdint>
#include <string>

#include "runs/probe_plan.h"

namespace CLI {
class App;
}

namespace deepfreq {

/// Options for how LFR and RDF of samples are measured.
struct FilterFlags {
    std::string inv_delta = "auto";
    std::string scale = "max-abs";
    bool exclude_self = false;
    std::string authors_grid = "authors-mnist";  ///< what --inv-delta authors means to the app

    void add_to(CLI::App& app, const std::string& group);
    /// Parameters of a measurement that stops when the program is interrupted.
    LowFrequencyParams params() const;
    FilterGridRequest grid() const;
};

/// The options of ProbePlan.
struct ProbeFlags {
    std::string epochs = "auto";
    std::string layers = "hidden";
    std::int64_t samples = 0;
    FilterFlags filter = {};

    void add_to(CLI::App& app);
    /// Throws InputError when a listed epoch comes after the last one.
    void check_within(std::int64_t last_epoch) const;
    ProbePlan plan() const;
};

/// Parse --probe-epochs and --probe-layers. Throw InputError for anything their --help does not list.
ProbedEpochs parse_probed_epochs(const std::string& text);
ProbedLayers parse_probed_layers(const std::string& text);

}  // namespace deepfreq
