#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace deepfreq {

/// "45 s", "12 min", "3.2 h".
std::string duration_text(double seconds);

/// As much of a line of UTF-8 as fits into `columns` of a terminal, which ends in "…" where something is cut.
std::string cut_to_columns(const std::string& line, int columns);

/// Tells how a download goes, on a terminal only: `received` of `total` bytes (0 while unknown).
void show_download(std::int64_t received, std::int64_t total);

/// Tells how training goes: on a terminal one line that is rewritten a few times a second, otherwise one
/// plain line every few seconds. Keeps the clock of the run.
class Progress {
  public:
    /// `epochs` at most, or until the loss is below `until_loss` (0: never); `seconds_before` were spent by
    /// earlier sessions of the run.
    Progress(std::int64_t epochs, double until_loss, std::int64_t samples_per_epoch, double seconds_before);

    /// After every step.
    void step(std::int64_t epoch, std::int64_t step, std::int64_t steps);
    /// The steps of a whole epoch took so long, the device's work included.
    void trained(double seconds);
    /// After every epoch, with what was measured; accuracies that are NaN are not told.
    void epoch(std::int64_t epoch, double loss, double accuracy, double validation_accuracy);
    /// What is being done besides training, until the next step.
    void note(const std::string& what);
    /// A line that stays, above the rewritten one.
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
    double rate_ = 0.0;  // samples per second, of the last whole epoch's steps; 0 before
    std::string measured_;
    std::vector<Point> points_;  // the last epochs, from which the time left is told
};

}  // namespace deepfreq
