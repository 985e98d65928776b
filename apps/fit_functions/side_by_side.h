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

/// Where the fits run: how many at a time, each on one core with its own backend.
struct Workers {
    std::string device;
    Precision precision = Precision::Float32;
    std::int64_t jobs = 1;
};

/// Fits each task that the table lacks, and writes both tables to the folder after each; reports progress.
/// The results do not depend on the number of workers. Stops when interrupted. An exception thrown by a fit
/// is rethrown after the other fits have ended.
void fit_side_by_side(const std::vector<FitTask>& tasks, const FitOptions& options, const Workers& workers,
                      EpochsTable& table, const std::filesystem::path& folder);

}  // namespace deepfreq
