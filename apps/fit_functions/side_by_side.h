#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "apps/fit_functions/epochs_table.h"
#include "apps/fit_functions/fit.h"

namespace deepfreq {

/// One bar's fit from one seed.
struct FitTask {
    FitKey key;
    std::shared_ptr<const RegressionSet> function;
    std::int64_t hidden_layers = 0;
};

/// Where the fits are done: so many at a time, each on one core with a backend of its own.
struct Workers {
    std::string device;
    Precision precision = Precision::Float32;
    std::int64_t jobs = 1;
};

/// Fits each task that the table lacks, and writes both tables to the folder after each; tells how it goes.
/// What comes out does not depend on the workers. Stops when interrupted. Throws what a fit throws, after the
/// others have ended.
void fit_side_by_side(const std::vector<FitTask>& tasks, const FitOptions& options, const Workers& workers,
                      EpochsTable& table, const std::filesystem::path& folder);

}  // namespace deepfreq
