#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace deepfreq {

/// "45 s", "12 min", "3.2 h".
std::string duration_text(double seconds);

/// As much of a UTF-8 line as fits into `columns` of a terminal; ends in "…" if something is cut off.
std::string cut_to_columns(const std::string& line, int columns);

/// Shows the progress of a download, on a terminal only: `received` of `total` bytes (0 while unknown).
void show_download(std::int64_t received, std::int64_t total);

/// Shows the progress of training: on a terminal, one line that is rewritten a few times per second;
/// otherwise, one plain line every few seconds. Keeps the clock of the run.
class Progress {
  public:
    /// For at most `epochs`, or until the loss is below `until_loss` (0: never). Earlier sessions of the run
    /// took `seconds_before`.
    Progress(std::int64_t epochs, double until_loss, std::int64_t samples_per_epoch, double seconds_before);

    /// Call after every step.
    void step(std::int64_t epoch, std::int64_t step, std::int64_t steps);
    /// Reports how long the steps of a whole epoch took, including the device's work.
    void trained(double seconds);
    /// Call after every epoch, with what was measured; accuracies that are NaN are not shown.
    void epoch(std::int64_t epoch, double loss, double accuracy, double validation_accuracy);
    /// Shows what is being done besides training, until the next step.
    void note(const std::string& what);
    /// Prints a line that stays, above the rewritten one.
    void line(const std::string& text);
    /// Ends the rewritten line, so that other output can follow.
    void finish();

    /// Seconds since the run began, over all its sessions.
    double seconds() const;

  private:
    std::optional<double> seconds_left(std::int64_t epoch) const;
    void show(const std::string& line, bool at_once);

    using Clock = std::chrono::steady_clock;
    struct Point {
        std::int64_t epoch;
        double seconds, loss;
    };

    std::int64_t epochs_;
    double until_loss_;
    std::int64_t samples_;
    double seconds_before_;
    bool terminal_;
    Clock::time_point start_, shown_;
    double rate_ = 0.0;  // samples per second in the last whole epoch's steps; 0 before
    std::string measured_;
    std::vector<Point> points_;  // the last epochs, from which the remaining time is estimated
};

}  // namespace deepfreq
