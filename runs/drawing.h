#pragma once

#include <filesystem>
#include <string>

namespace deepfreq {

/// Draws the figures of a run with a program of the source tree, such as "analysis/figures.py", and waits for
/// them. If they cannot be drawn, a warning says why.
void draw_figures_of(const std::filesystem::path& run, const std::string& program);

}  // namespace deepfreq
