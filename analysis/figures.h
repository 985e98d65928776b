#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace deepfreq {

/// Draws the figures of a run into RUN/figures from its CSV files. Runs figures.py next to this file (or a
/// similar script) with the Python of $DEEPFREQ_PYTHON (default: Debian's, which has matplotlib), in a
/// separate process while the run continues.
class FigureDrawing {
  public:
    FigureDrawing() = default;
    FigureDrawing(const FigureDrawing&) = delete;
    FigureDrawing& operator=(const FigureDrawing&) = delete;
    /// Waits for the figures being drawn.
    ~FigureDrawing() { finish(); }

    /// Starts drawing; does nothing while earlier figures are still being drawn.
    void begin(const std::filesystem::path& script, const std::filesystem::path& run);

    /// Waits for the figures being drawn, if any. Returns an empty string, or one line that says why there
    /// are none: the CSV files are complete without them.
    std::string finish();

  private:
    /// Holds in memory what the script writes to stderr. The last line says why it failed.
    struct ErrorFile {
        ErrorFile() = default;
        ErrorFile(const ErrorFile&) = delete;
        ErrorFile& operator=(const ErrorFile&) = delete;
        ~ErrorFile() { reset(-1); }
        void reset(int opened);
        int descriptor = -1;
    };

    ErrorFile errors_;
    std::string failure_;  // why the last figures could not be drawn
    std::string command_;
    pid_t child_ = 0;
};

/// Draws the figures and waits; returns what FigureDrawing::finish() returns.
std::string draw_figures(const std::filesystem::path& script, const std::filesystem::path& run);

}  // namespace deepfreq
