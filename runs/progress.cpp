#include "runs/progress.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace deepfreq {
namespace {

constexpr std::size_t remembered_epochs = 20;

/// Writes to stdout at once. A closed terminal (SIGHUP) or a full disk does not end a run: what
/// matters is in files.
void say(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

double since(std::chrono::steady_clock::time_point then) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - then).count();
}

// Columns that a line may fill on the terminal without wrapping, which \r could not undo.
int terminal_columns() {
    winsize size{};
    const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col - 1 : 79;
}

// Number of bytes of the UTF-8 character that begins with this byte, and its columns: East
// Asian ones have two.
struct Character {
    std::size_t bytes;
    int columns;
};
Character character_from(char first) {
    const auto byte = static_cast<unsigned char>(first);
    if (byte < 0xC0) return {1, 1};
    if (byte < 0xE0) return {2, 1};
    if (byte <= 0xE2) return {3, 1};  // up to U+2FFF: Latin, Greek, punctuation, symbols
    return {byte < 0xF0 ? std::size_t{3} : std::size_t{4}, 2};
}

}  // namespace

std::string cut_to_columns(const std::string& line, int columns) {
    std::size_t kept = 0;  // bytes that leave room for "…"
    int filled = 0;
    for (std::size_t at = 0; at < line.size();) {
        const Character character = character_from(line[at]);
        filled += character.columns;
        if (filled > columns) return line.substr(0, kept) + "…";
        at = std::min(at + character.bytes, line.size());
        if (filled < columns) kept = at;
    }
    return line;
}

std::string duration_text(double seconds) {
    if (seconds < 99.5) return fmt::format("{:.0f} s", seconds);
    if (seconds < 99.5 * 60) return fmt::format("{:.0f} min", seconds / 60);
    return fmt::format("{:.1f} h", seconds / 3600);
}

void show_download(std::int64_t received, std::int64_t total) {
    if (isatty(STDOUT_FILENO) == 0) return;
    constexpr double mebibyte = 0x1p20;
    const bool complete = total > 0 && received >= total;
    say(fmt::format("\r\x1b[Kdownloading: {:.1f} of {:.1f} MiB{}", static_cast<double>(received) / mebibyte,
                    static_cast<double>(total) / mebibyte, complete ? "\n" : ""));
}

Progress::Progress(std::int64_t epochs, double until_loss, std::int64_t samples_per_epoch,
                   double seconds_before)
    : epochs_(epochs),
      until_loss_(until_loss),
      samples_(samples_per_epoch),
      seconds_before_(seconds_before),
      terminal_(isatty(STDOUT_FILENO) != 0),
      start_(Clock::now()),
      shown_(start_ - std::chrono::hours(1)) {}

double Progress::seconds() const {
    return seconds_before_ + since(start_);
}

void Progress::step(std::int64_t epoch, std::int64_t step, std::int64_t steps) {
    if (terminal_) show(fmt::format("epoch {} · step {}/{}{}", epoch, step, steps, measured_), false);
}

void Progress::trained(double seconds) {
    rate_ = static_cast<double>(samples_) / std::max(seconds, 1e-9);
}

void Progress::epoch(std::int64_t epoch, double loss, double accuracy, double validation_accuracy) {
    points_.push_back({epoch, seconds(), loss});
    if (points_.size() > remembered_epochs) points_.erase(points_.begin());
    measured_ = fmt::format(" · loss {:.5f}", loss);
    if (!std::isnan(accuracy))
        measured_ += fmt::format(" · accuracy {:.2f} % (validation {:.2f} %)", 100 * accuracy,
                                 100 * validation_accuracy);
    if (rate_ > 0) measured_ += fmt::format(" · {:.0f} samples/s", rate_);
    if (const auto left = seconds_left(epoch))
        measured_ += fmt::format(" · about {} left", duration_text(*left));
    show(fmt::format("epoch {}{}", epoch, measured_), epoch <= 1);
}

void Progress::note(const std::string& what) {
    if (terminal_) show(what + " …", true);
}

void Progress::line(const std::string& text) {
    say(fmt::format("{}{}\n", terminal_ ? "\r\x1b[K" : "", text));
}

// Whichever comes first: all epochs done, or the loss below its bound if its logarithm continues to fall at
// the same rate.
std::optional<double> Progress::seconds_left(std::int64_t epoch) const {
    if (points_.size() < 3) return std::nullopt;
    const Point& first = points_.front();
    const Point& last = points_.back();
    if (last.loss < until_loss_) return 0.0;
    const auto passed = static_cast<double>(last.epoch - first.epoch);
    auto epochs = static_cast<double>(epochs_ - epoch);
    const double slope = std::log(first.loss / last.loss) / passed;
    if (until_loss_ > 0 && slope > 0) epochs = std::min(epochs, std::log(last.loss / until_loss_) / slope);
    return epochs * (last.seconds - first.seconds) / passed;
}

void Progress::show(const std::string& line, bool at_once) {
    if (!at_once && since(shown_) < (terminal_ ? 0.2 : 5.0)) return;
    shown_ = Clock::now();
    if (terminal_)
        say("\r\x1b[K" + cut_to_columns(line, terminal_columns()));
    else
        say(line + '\n');
}

void Progress::finish() {
    if (terminal_)
        say("\n");
    else if (!points_.empty())
        show(fmt::format("epoch {}{}", points_.back().epoch, measured_), true);
}

}  // namespace deepfreq
