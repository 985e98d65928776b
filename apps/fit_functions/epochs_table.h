#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>

#include "apps/fit_functions/fit.h"

namespace deepfreq {

/// Which of the fits: the panel of Fig. 1, what its bars differ in ((a): the number of hidden layers, (b): k
/// of cos(kx)), and the seed.
struct FitKey {
    char panel = 'a';
    double setting = 0.0;
    std::uint64_t seed = 0;

    bool operator<(const FitKey& other) const {
        return std::tie(panel, setting, seed) < std::tie(other.panel, other.setting, other.seed);
    }
};

/// What is known so far, in the order in which it is written: whichever fit ended first.
using EpochsTable = std::map<FitKey, FitResult>;

/// What the seeds of one setting gave.
struct SettingSummary {
    char panel = 'a';
    double setting = 0.0;
    std::int64_t runs = 0;
    std::int64_t converged = 0;
    double mean = 0.0;          ///< epochs of those that converged; NaN when none did
    double deviation = 0.0;     ///< their standard deviation (n - 1); NaN below two
    std::int64_t given_up = 0;  ///< the most epochs that one which did not converge was given; 0: all did
    std::int64_t diverged = 0;  ///< of those that did not converge

    std::string text() const;
};

/// Of the setting that `key` belongs to, which has a result.
SettingSummary summarize(const EpochsTable& table, const FitKey& key);

/// Overwrites epochs.csv (a line a fit: panel, setting, seed, epochs, converged, error) and summary.csv (a
/// line a setting) in a folder, each whole or not at all.
void write_tables(const EpochsTable& table, const std::filesystem::path& folder);

/// Reads what write_tables() wrote to a folder's epochs.csv; empty when there is none. Throws InputError
/// naming the line that is not one of ours.
EpochsTable read_epochs(const std::filesystem::path& folder);

}  // namespace deepfreq
