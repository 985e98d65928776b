#include "engine/learning_rate.h"

#include <charconv>
#include <cmath>

#include "common/error.h"

namespace deepfreq {
namespace {

template <class T>
bool parse_whole(std::string_view text, T& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

double LearningRateSchedule::at(std::int64_t epoch) const {
    std::int64_t end = 0;
    for (const Stage& stage : stages) {
        end += stage.epochs;
        if (stage.epochs == 0 || epoch < end) return stage.rate * std::pow(decay, static_cast<double>(epoch));
    }
    throw InputError("the learning rate schedule ends after {} epochs, expected a rate for epoch {}", end,
                     epoch + 1);
}

bool LearningRateSchedule::changes_at(std::int64_t epoch) const {
    std::int64_t end = 0;
    for (std::size_t s = 0; s + 1 < stages.size(); ++s)
        if (end += stages[s].epochs; end == epoch) return true;
    return false;
}

void LearningRateSchedule::check_covers(std::int64_t epochs) const {
    if (epochs > 0) at(epochs - 1);
}

LearningRateSchedule parse_learning_rate(std::string_view text) {
    const auto refuse = [&] {
        throw InputError(
            "the learning rate is '{}', expected a number above 0 as 1e-5, or rate:epochs from stage "
            "to stage as 1e-3:40,1e-4:20,1e-5:20",
            text);
    };
    LearningRateSchedule schedule;
    for (std::string_view rest = text;;) {
        const std::string_view item = rest.substr(0, rest.find(','));
        const std::size_t colon = item.find(':');
        LearningRateSchedule::Stage stage;
        if (!parse_whole(item.substr(0, colon), stage.rate) || !std::isfinite(stage.rate) ||
            stage.rate <= 0.0)
            refuse();
        const bool alone = colon == std::string_view::npos;
        if (alone ? text.size() != item.size() : !parse_whole(item.substr(colon + 1), stage.epochs)) refuse();
        if (!alone && stage.epochs < 1) refuse();
        schedule.stages.push_back(stage);
        if (item.size() == rest.size()) return schedule;
        rest.remove_prefix(item.size() + 1);
    }
}

}  // namespace deepfreq
