#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <tuple>

#include "apps/fit_functions/fit.h"

namespace deepfreq {

/// Identifies a fit: the panel of Fig. 1, what its bars differ in ((a): the number of hidden layers, (b): k
/// of cos(kx)), and the seed.
struct FitKey {
    char panel = 'a';
    double setting = 0.0;
    std::uint64_t seed = 0;

    bool operator<(const FitKey& other) const {
        return std::tie(panel, setting, seed) < std::tie(other.panel, other.setting, other.seed);
    }
};

/// The results so far, in the order in which they are written, whichever fit finished first.
using EpochsTable = std::map<FitKey, FitResult>;

/// The combined results of one setting's seeds.
struct SettingSummary {
    char panel = 'a';
    double setting = 0.0;
    std::int64_t runs = 0;
    std::int64_t converged = 0;
    double mean = 0.0;          ///< epochs of the fits that converged; NaN when none did
    double deviation = 0.0;     ///< their standard deviation (n - 1); NaN below two
    std::int64_t given_up = 0;  ///< most epochs spent on a fit that did not converge; 0: all converged
    std::int64_t diverged = 0;  ///< how many of those that did not converge diverged

    std::string text() const;
};

/// Of the setting that `key` belongs to, which must have a result.
SettingSummary summarize(const EpochsTable& table, const FitKey& key);

/// Overwrites epochs.csv (one line per fit: panel, setting, seed, epochs, converged, error) and summary.csv
/// (one line per setting) in a folder, each entirely or not at all.
void write_tables(const EpochsTable& table, const std::filesystem::path& folder);

/// Reads epochs.csv as written by write_tables() from a folder; empty when there is none. Throws InputError
/// naming a line that we did not write.
EpochsTable read_epochs(const std::filesystem::path& folder);

}  // namespace deepfreq
