#pragma once

#include <filesystem>
#include <string>

namespace deepfreq {

/// Draws the figures of a run into RUN/figures from its CSV files, by figures.py beside this file and the
/// Python of $DEEPFREQ_PYTHON (default: Debian's, which has matplotlib). Returns an empty string, or one line
/// that says why there are no figures: the CSV files are complete without them.
std::string draw_figures(const std::filesystem::path& script, const std::filesystem::path& run);

}  // namespace deepfreq
