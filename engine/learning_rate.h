#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace deepfreq {

/// A learning rate that is constant within each stage, times decay^epoch.
struct LearningRateSchedule {
    struct Stage {
        double rate = 0.0;
        std::int64_t epochs = 0;  ///< 0: all remaining epochs
    };
    std::vector<Stage> stages;
    double decay = 1.0;  ///< factor applied to the rate after every epoch

    LearningRateSchedule() = default;
    /// A constant rate.
    LearningRateSchedule(double rate) : stages{{rate, 0}} {}  // NOLINT: a rate is a schedule

    /// The rate of an epoch, counted from 0. Throws InputError beyond the last stage.
    double at(std::int64_t epoch) const;

    /// Whether a stage other than the first begins with this epoch, counted from 0.
    bool changes_at(std::int64_t epoch) const;

    /// Throws InputError unless the schedule has a rate for each of `epochs` epochs.
    void check_covers(std::int64_t epochs) const;
};

/// "1e-3:40,1e-4:20,1e-5:20", which is rate:epochs for each stage, or one rate for all epochs, such as
/// "1e-5". Throws InputError for anything else.
LearningRateSchedule parse_learning_rate(std::string_view text);

}  // namespace deepfreq
