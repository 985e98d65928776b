#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace deepfreq {

/// Draws the figures of a run into RUN/figures from its CSV files, by figures.py beside this file (or a
/// script of its kind) and the Python of $DEEPFREQ_PYTHON (default: Debian's, which has matplotlib), in a
/// process of its own while the run goes on.
class FigureDrawing {
  public:
    FigureDrawing() = default;
    FigureDrawing(const FigureDrawing&) = delete;
    FigureDrawing& operator=(const FigureDrawing&) = delete;
    /// Waits for the figures begun.
    ~FigureDrawing() { finish(); }

    /// Begins to draw; does nothing while the figures begun before are not done.
    void begin(const std::filesystem::path& script, const std::filesystem::path& run);

    /// Waits for the figures begun, if any. Returns an empty string, or one line that says why there are
    /// none: the CSV files are complete without them.
    std::string finish();

  private:
    /// In memory: what the script writes to stderr. Its last line says why it failed.
    struct ErrorFile {
        ErrorFile() = default;
        ErrorFile(const ErrorFile&) = delete;
        ErrorFile& operator=(const ErrorFile&) = delete;
        ~ErrorFile() { reset(-1); }
        void reset(int opened);
        int descriptor = -1;
    };

    ErrorFile errors_;
    std::string failure_;  // why the last ones did not come about
    std::string command_;
    pid_t child_ = 0;
};

/// Draws them and waits; returns what FigureDrawing::finish() does.
std::string draw_figures(const std::filesystem::path& script, const std::filesystem::path& run);

}  // namespace deepfreq
