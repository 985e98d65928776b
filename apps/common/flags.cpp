#include "apps/common/flags.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "apps/common/config_file.h"
#include "apps/common/interrupt.h"
#include "apps/common/lists.h"
#include "apps/common/program.h"
#include "apps/common/run_folder.h"
#include "common/error.h"

namespace deepfreq {
namespace {

// Whole numbers between commas. Throws InputError naming `what` for anything else.
std::vector<std::int64_t> whole_numbers(const std::string& text, std::string_view what) {
    std::vector<std::int64_t> numbers;
    for (const std::string& item : items_between_commas(text)) {
        std::int64_t number = 0;
        const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), number);
        if (error != std::errc{} || end != item.data() + item.size())
            throw InputError("'{}' found, {} between commas expected", text, what);
        numbers.push_back(number);
    }
    return numbers;
}

/// What --probe-epochs asks for.
struct ProbedEpochs {
    std::vector<std::int64_t> listed;
    std::int64_t every = 0;  ///< and all multiples of this, unless it is 0
    bool automatic = false, last = false;

    explicit ProbedEpochs(const std::string& text) {
        if (text == "none") return;
        automatic = text == "auto";
        last = automatic;
        if (automatic) return;
        for (const std::string& item : items_between_commas(text)) {
            const bool repeated = item.starts_with("every:");
            if (item == "last") {
                last = true;
                continue;
            }
            const char* const expected = "auto, none, or epochs, every:N and last";
            const std::int64_t epoch =
                whole_numbers(repeated ? item.substr(std::string_view("every:").size()) : item, expected)
                    .front();
            if (epoch < (repeated ? 1 : 0))
                throw InputError(
                    "'{}' found, {}", item,
                    repeated ? "every: and at least 1 expected" : "epochs of at least 0 expected");
            if (repeated && every > 0) throw InputError("'{}' found, every:N expected only once", text);
            if (repeated)
                every = epoch;
            else
                listed.push_back(epoch);
        }
    }
};

constexpr std::string_view softmax_target = ":softmax";  // of the output

// One item of --probe-layers: a layer, LAYER:TARGET or LAYER:softmax, of which the output is the target.
std::vector<std::int64_t> layer_and_target(std::string item) {
    if (item.ends_with(softmax_target))
        item.replace(item.size() - softmax_target.size(), std::string::npos, ",-1");
    std::ranges::replace(item, ':', ',');
    std::vector<std::int64_t> numbers =
        whole_numbers(item, "hidden, all, layers, LAYER:TARGET or LAYER:softmax");
    if (numbers.size() > 2)
        throw InputError("'{}' found, one layer or LAYER:TARGET between commas expected", item);
    return numbers;
}

int layer_of(std::int64_t l, int depth) {
    if (l < -depth || l > depth)
        throw InputError("--probe-layers names layer {}, expected one of -{} to {}", l, depth, depth);
    return static_cast<int>(l < 0 ? depth + 1 + l : l);
}

// Each under the name it was asked for by, from the input on; what is named twice is measured once.
std::vector<ProbedSet> probed_sets(const std::string& layers, int depth) {
    std::vector<ProbedSet> sets;
    if (layers == "hidden" || layers == "all") {
        for (int l = layers == "all" ? 0 : 1; l < depth; ++l) {
            sets.emplace_back();
            sets.back().layer = l;
            sets.back().name = std::to_string(l);
        }
        return sets;
    }
    for (const std::string& item : items_between_commas(layers)) {
        const std::vector<std::int64_t> numbers = layer_and_target(item);
        ProbedSet set{.layer = layer_of(numbers[0], depth),
                      .target = {},
                      .softmax = item.ends_with(softmax_target),
                      .name = item};
        if (numbers.size() > 1) set.target = layer_of(numbers[1], depth);
        sets.push_back(std::move(set));
    }
    const auto place = [](const ProbedSet& set) { return std::tuple(set.target, set.softmax, set.layer); };
    std::ranges::stable_sort(sets, {}, place);
    const auto twins = [&](const ProbedSet& a, const ProbedSet& b) { return place(a) == place(b); };
    sets.erase(std::unique(sets.begin(), sets.end(), twins), sets.end());
    return sets;
}

// Of crop or crop:PIXELS.
std::int64_t pixels_of_crop(const std::string& item) {
    if (item == "crop") return 4;
    std::int64_t pixels = 0;
    const char* const last = item.data() + item.size();
    const auto [end, error] = std::from_chars(item.data() + std::string_view("crop:").size(), last, pixels);
    if (error != std::errc{} || end != last || pixels < 1)
        throw InputError("'{}' found, crop: and a whole number of at least 1 pixel expected", item);
    return pixels;
}

}  // namespace

std::vector<std::uint64_t> parse_seeds(const std::string& text, std::uint64_t first) {
    constexpr std::int64_t most = 1000;
    std::vector<std::uint64_t> seeds;
    const std::vector<std::int64_t> numbers = whole_numbers(text, "a number of seeds, or seeds");
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
    app.add_option("--loss", loss, "mse or softmax-ce")
        ->check(parses([](const std::string& s) { parse_loss(s); }, ""))
        ->group(group);
    app.add_option("--init", initializer, "glorot-normal, glorot-uniform, he, lecun or normal:SIGMA")
        ->check(parses([](const std::string& s) { parse_initializer(s); }, ""))
        ->group(group);
    app.add_flag("--init-alike,!--no-init-alike", alike,
                 "weights of equal role and shape begin alike, in a network and from network to network")
        ->default_str(alike ? "true" : "false")  // CLI11 does not capture a flag's
        ->group(group);
    app.add_option("--lr", learning_rate, "learning rate of Adam")->check(finite_above_zero())->group(group);
    app.add_option("--lr-schedule", schedule,
                   "rate:epochs from stage to stage in place of --lr, as 1e-3:40,1e-4:20,1e-5:20")
        ->check(parses(
            [](const std::string& s) {
                if (!s.empty()) parse_learning_rate(s);
            },
            ""))
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
    app.add_option("--batch", batch, "samples a step, at most all")->check(at_least(1))->group(group);
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
        ->check(parses(
            [](const std::string& s) {
                if (!s.empty()) parse_seeds(s, 0);
            },
            ""))
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

TrainerOptions TrainingFlags::trainer_options() const {
    LearningRateSchedule rate = learning_rate;
    if (!schedule.empty()) {
        rate = parse_learning_rate(schedule);
        rate.check_covers(epochs);
    } else if (reset_adam) {
        throw InputError(
            "--reset-adam found without --lr-schedule, expected one: Adam is reset where its rate changes");
    }
    rate.decay = 1.0 - decay;
    return {.loss = parse_loss(loss),
            .learning_rate = rate,
            .adam = {.epsilon = adam_epsilon},
            .reset_adam = reset_adam,
            .seed = seed,
            .augment = {augment.flip, augment.crop, seed},
            .gradient_norms = gradient_norms,
            .capture_steps = !no_graph};
}

Initializer TrainingFlags::initial_weights() const {
    Initializer how = parse_initializer(initializer);
    how.alike = alike;
    return how;
}

std::vector<std::uint64_t> TrainingFlags::all_seeds() const {
    if (seeds.empty()) return {seed};
    if (seed != 0 && seeds.find(',') != std::string::npos)
        throw InputError("--seed is {} and --seeds a list, {}; expected one of the two", seed, seeds);
    return parse_seeds(seeds, seed);
}

void FilterFlags::add_to(CLI::App& app, const std::string& group) {
    app.add_option("--inv-delta", inv_delta,
                   "grid of 1/delta: auto, authors (that of the paper's programs), LO:HI:N or log:LO:HI:N")
        ->check(parses(
            [](const std::string& s) {
                if (s != "authors") FilterGridRequest::parse(s);
            },
            ""))
        ->group(group);
    app.add_option(
           "--scale", scale,
           "of each dimension of the features: max-abs (divided by its largest magnitude), centred (its "
           "mean subtracted first) or none")
        ->check(parses([](const std::string& s) { parse_column_scaling(s); }, ""))
        ->group(group);
    app.add_flag("--exclude-self", exclude_self, "leave i = j out of the sums of eq. 4")->group(group);
}

LowFrequencyParams FilterFlags::params() const {
    return {.exclude_self = exclude_self, .stop = interrupted};
}

FilterGridRequest FilterFlags::grid() const {
    return FilterGridRequest::parse(inv_delta == "authors" ? authors_grid : inv_delta);
}

void ProbeFlags::add_to(CLI::App& app) {
    const char* const group = "Probes: LFR and RDF of the hidden layers";
    app.add_option("--probe-epochs", epochs,
                   "auto (0, 1, 2, 5, 10, 20, 50 … and the last), none, or a list as 0,10,every:100,last")
        ->check(parses([](const std::string& s) { ProbedEpochs{s}; }, ""))
        ->group(group);
    app.add_option(
           "--probe-layers", layers,
           "hidden (all of them), all (the input too), or a list as 1,3,-2; -3:-1 measures f[-3] against "
           "the network's output f[-1] in place of the labels, -3:softmax against softmax of it")
        ->check(parses(
            [](const std::string& s) {
                if (s == "hidden" || s == "all") return;
                for (const std::string& item : items_between_commas(s)) layer_and_target(item);
            },
            ""))
        ->group(group);
    app.add_option("--probe-samples", samples, "measure on the first N training samples; 0: on all")
        ->check(at_least(0))
        ->group(group);
    filter.add_to(app, group);
}

bool ProbeFlags::is_due(std::int64_t epoch, bool last) const {
    const ProbedEpochs wanted(epochs);
    if (last && wanted.last) return true;
    if (!wanted.automatic)
        return std::ranges::count(wanted.listed, epoch) > 0 ||
               (wanted.every > 0 && epoch % wanted.every == 0);
    while (epoch >= 10 && epoch % 10 == 0) epoch /= 10;
    return epoch == 0 || epoch == 1 || epoch == 2 || epoch == 5;
}

void ProbeFlags::check_within(std::int64_t last_epoch) const {
    for (const std::int64_t epoch : ProbedEpochs(epochs).listed)
        if (epoch > last_epoch)
            throw InputError("--probe-epochs lists epoch {}, expected at most the last, {}", epoch,
                             last_epoch);
}

ProbeOptions ProbeFlags::probe_options(int depth, std::int64_t train_samples) const {
    if (samples > train_samples)
        throw InputError("--probe-samples is {}, expected at most the {} training samples", samples,
                         train_samples);
    ProbeOptions options;
    options.samples = samples == 0 ? train_samples : samples;
    options.grid = filter.grid();
    options.scaling = parse_column_scaling(filter.scale);
    options.filter = filter.params();
    options.sets = probed_sets(layers, depth);
    return options;
}

void RunFlags::add_to(CLI::App& app) {
    const char* const group = "Run";
    app.add_option("--device", device, "auto, cpu, cuda or cuda:N")->group(group);
    app.add_option("--precision", precision,
                   "of matrix products and convolutions: fp32; faster, weights stay float32: bf16 (slower on "
                   "a CPU that has no bf16), on a GPU only: tf32; auto: tf32 where the device has it")
        ->check(parses([](const std::string& s) { parse_precision(s); }, ""))
        ->group(group);
    app.add_option("--data", data,
                   "folder with the data, or synthetic; else $DEEPFREQ_DATA, the cache, a download")
        ->group(group);
    auto* const new_folder =
        app.add_option("--out", out, "folder of the run (default: the next free runs/APP-NNN)")
            ->check(not_empty())
            ->configurable(false)
            ->group(group);
    auto* const resumed =
        app.add_option("--resume", resume, "go on with the run in this folder, with its options")
            ->check(not_empty())
            ->configurable(false)
            ->excludes(new_folder)
            ->group(group);
    app.add_option("--probe-run", probe_run,
                   "train nothing: measure the kept checkpoints of this run again, with other probe options")
        ->check(not_empty())
        ->configurable(false)
        ->excludes(resumed)
        ->group(group);
    app.add_option("--save-every", save_every, "seconds between checkpoints; 0: after every epoch")
        ->check(finite_from_zero())
        ->group(group);
    app.add_flag("--keep-checkpoints", keep_checkpoints, "keep the network of every probed epoch")
        ->group(group);
    app.add_flag("--quick", quick, "a small setting that shows every part; not the paper's scale")
        ->group(group);
    app.add_flag("--no-figures", no_figures, "write the CSV files only")->group(group);
    app.add_flag("--no-seconds", no_seconds,
                 "leave the seconds column empty, so that two runs can be compared byte for byte")
        ->group(group);
    app.add_option("--config", config,
                   "read options from this TOML file; a run leaves one behind, config.toml")
        ->check(not_empty())
        ->configurable(false)
        ->group(group);
}

OwnedFolder RunFlags::prepare_folder(const std::string& name) const {
    if (!resume.empty()) return earlier_run_folder(resume);
    return out.empty() ? OwnedFolder::next(std::filesystem::path("runs") / name) : new_run_folder(out);
}

void take_options_of_files(CLI::App& app, const RunFlags& run) {
    if (!run.config.empty()) take_options_of_file(app, run.config);
    const std::filesystem::path folder = run.resume.empty() ? run.probe_run : run.resume;
    if (folder.empty()) return;
    const std::filesystem::path config = folder / "config.toml";
    if (!std::filesystem::exists(config))
        throw InputError("{}: no run to go on with: config.toml is missing", folder.string());
    take_options_of_file(app, config);
}

void default_to(CLI::App& app, const std::string& option, const std::string& value) {
    CLI::Option* const target = app.get_option(option);
    if (target->count() > 0) return;
    const bool is_flag = target->get_expected_min() == 0;
    target->add_result(is_flag ? target->get_flag_value(option.substr(2), value) : value);
    target->run_callback();
}

}  // namespace deepfreq
