#include "apps/cli/training_flags.h"

#include <CLI/App.hpp>
#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "apps/cli/lists.h"
#include "apps/cli/option_checks.h"
#include "common/error.h"

namespace deepfreq {
namespace {

// Parses crop or crop:PIXELS.
std::int64_t pixels_of_crop(const std::string& item) {
    if (item == "crop") return 4;
    std::int64_t pixels = 0;
    const char* const last = item.data() + item.size();
    const auto [end, error] = std::from_chars(item.data() + std::string_view("crop:").size(), last, pixels);
    if (error != std::errc{} || end != last || pixels < 1)
        throw InputError("'{}' found, crop: and a whole number of at least 1 pixel expected", item);
    return pixels;
}

/// The seeds of --seeds, or the single one of --seed.
std::vector<std::uint64_t> all_seeds(const TrainingFlags& flags) {
    if (flags.seeds.empty()) return {flags.seed};
    if (flags.seed != 0 && flags.seeds.find(',') != std::string::npos)
        throw InputError("--seed is {} and --seeds a list, {}; expected one of the two", flags.seed,
                         flags.seeds);
    return parse_seeds(flags.seeds, flags.seed);
}

LearningRateSchedule learning_rate_of(const TrainingFlags& flags) {
    LearningRateSchedule rate = flags.learning_rate;
    if (!flags.schedule.empty()) {
        rate = parse_learning_rate(flags.schedule);
        rate.check_covers(flags.epochs);
    } else if (flags.reset_adam) {
        throw InputError(
            "--reset-adam found without --lr-schedule, expected one: Adam is reset where its rate changes");
    }
    rate.decay = 1.0 - flags.decay;
    return rate;
}

}  // namespace

std::vector<std::uint64_t> parse_seeds(const std::string& text, std::uint64_t first) {
    constexpr std::int64_t most = 1000;
    std::vector<std::uint64_t> seeds;
    const std::vector<std::int64_t> numbers =
        whole_numbers_between_commas(text, "a number of seeds, or seeds");
    if (numbers.size() == 1) {
        if (numbers[0] < 1 || numbers[0] > most)
            throw InputError("{} seeds found, 1 to {} expected", numbers[0], most);
        for (std::int64_t i = 0; i < numbers[0]; ++i) seeds.push_back(first + static_cast<std::uint64_t>(i));
        return seeds;
    }
    for (const std::int64_t number : numbers) {
        if (number < 0) throw InputError("seed {} found in '{}', seeds of at least 0 expected", number, text);
        if (std::ranges::count(seeds, static_cast<std::uint64_t>(number)) > 0)
            throw InputError("seed {} found twice in '{}', each once expected", number, text);
        seeds.push_back(static_cast<std::uint64_t>(number));
    }
    return seeds;
}

AugmentParams parse_augmentation(const std::string& text) {
    AugmentParams params;
    if (text == "none") return params;
    for (const std::string& item : items_between_commas(text)) {
        const bool crop = item == "crop" || item.starts_with("crop:");
        if (!crop && item != "flip")
            throw InputError("'{}' found, none alone, or flip, crop or crop:PIXELS between commas expected",
                             item);
        if (crop ? params.crop > 0 : params.flip)
            throw InputError("'{}' found, {} expected only once", text, crop ? "crop" : "flip");
        if (crop)
            params.crop = pixels_of_crop(item);
        else
            params.flip = true;
    }
    return params;
}

void TrainingFlags::add_to(CLI::App& app) {
    const char* const group = "Training";
    app.add_option("--loss", loss, "mse or softmax-ce")->check(parses(parse_loss))->group(group);
    app.add_option("--init", initializer, "glorot-normal, glorot-uniform, he, lecun or normal:SIGMA")
        ->check(parses(parse_initializer))
        ->group(group);
    app.add_flag("--init-alike,!--no-init-alike", alike,
                 "weights of equal role and shape begin alike, in a network and from network to network")
        ->default_str(alike ? "true" : "false")  // CLI11 does not capture a flag's default
        ->group(group);
    app.add_option("--lr", learning_rate, "learning rate of Adam")->check(finite_above_zero())->group(group);
    app.add_option("--lr-schedule", schedule,
                   "rate:epochs from stage to stage in place of --lr, as 1e-3:40,1e-4:20,1e-5:20")
        ->check(parses([](const std::string& s) {
            if (!s.empty()) parse_learning_rate(s);
        }))
        ->group(group);
    app.add_option("--lr-decay", decay, "the rate is multiplied by 1 - F after every epoch")
        ->check(share_below_one())
        ->group(group);
    app.add_option("--adam-epsilon", adam_epsilon, "added to Adam's denominator")
        ->check(finite_above_zero())
        ->group(group);
    app.add_flag("--reset-adam,!--no-reset-adam", reset_adam,
                 "Adam's moments and step count begin again where --lr-schedule changes the rate")
        ->default_str(reset_adam ? "true" : "false")
        ->group(group);
    app.add_option("--batch", batch, "samples per step, at most all")->check(at_least(1))->group(group);
    app.add_option("--samples", samples, "train on the first N samples")->check(at_least(1))->group(group);
    app.add_option("--epochs", epochs, "at most N epochs")->check(at_least(0))->group(group);
    app.add_option("--until-loss", until_loss,
                   "stop when the loss over the whole training set is below; 0: never")
        ->check(finite_from_zero())
        ->group(group);
    app.add_option("--seed", seed, "of weights and batches")->check(at_least(0))->group(group);
    app.add_option(
           "--seeds", seeds,
           "several runs, one after the other, with means in the figures: how many (from --seed on), or "
           "which, as 0,1,5")
        ->check(parses([](const std::string& s) {
            if (!s.empty()) parse_seeds(s, 0);
        }))
        ->group(group);
    app.add_flag("--gradient-norms,!--no-gradient-norms", gradient_norms,
                 "write the norm of every layer's gradient, its mean square over an epoch's steps rooted, to "
                 "gradients.csv")
        ->default_str(gradient_norms ? "true" : "false")
        ->group(group);
    app.add_flag("--no-graph", no_graph,
                 "queue every operation by itself, not a step as one graph: for debugging, same results")
        ->group(group);
}

TrainingOptions TrainingFlags::options() const {
    // Member by member: in a single list, GCC 12 destroys the elements before an exception
    // twice (its bug 66139).
    TrainingOptions options;
    options.trainer.loss = parse_loss(loss);
    options.trainer.learning_rate = learning_rate_of(*this);
    options.trainer.adam.epsilon = adam_epsilon;
    options.trainer.reset_adam = reset_adam;
    options.trainer.gradient_norms = gradient_norms;
    options.trainer.capture_steps = !no_graph;
    options.initializer = parse_initializer(initializer);
    options.initializer.alike = alike;
    options.batch = batch;
    options.samples = samples;
    options.epochs = epochs;
    options.until_loss = until_loss;
    options.seeds = all_seeds(*this);
    return options;
}

nlohmann::json TrainingFlags::identity() const {
    return {{"samples", samples},
            {"batch", batch},
            {"loss", loss},
            {"lr", learning_rate},
            {"lr_schedule", schedule},
            {"lr_decay", decay},
            {"adam_epsilon", adam_epsilon},
            {"reset_adam", reset_adam},
            {"init_alike", alike},
            {"init", initializer},
            {"gradient_norms", gradient_norms}};
}

}  // namespace deepfreq
