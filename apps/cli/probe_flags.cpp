#include "apps/cli/probe_flags.h"

#include <CLI/App.hpp>
#include <algorithm>

#include "apps/cli/lists.h"
#include "apps/cli/option_checks.h"
#include "common/error.h"
#include "runs/interrupt.h"

namespace deepfreq {
namespace {

constexpr std::string_view every = "every:";
constexpr std::string_view softmax_target = ":softmax";  // of the network's output

/// One item of --probe-layers: LAYER, LAYER:TARGET or LAYER:softmax, where softmax makes the network's
/// softmax output the target.
std::vector<std::int64_t> layer_and_target(std::string item) {
    if (item.ends_with(softmax_target))
        item.replace(item.size() - softmax_target.size(), std::string::npos, ",-1");
    std::ranges::replace(item, ':', ',');
    std::vector<std::int64_t> numbers =
        whole_numbers_between_commas(item, "hidden, all, layers, LAYER:TARGET or LAYER:softmax");
    if (numbers.size() > 2)
        throw InputError("'{}' found, one layer or LAYER:TARGET between commas expected", item);
    return numbers;
}

}  // namespace

ProbedEpochs parse_probed_epochs(const std::string& text) {
    if (text == "auto") return {};
    ProbedEpochs epochs{.automatic = false, .last = false};
    if (text == "none") return epochs;
    for (const std::string& item : items_between_commas(text)) {
        if (item == "last") {
            epochs.last = true;
            continue;
        }
        const bool repeated = item.starts_with(every);
        const std::int64_t epoch = whole_numbers_between_commas(repeated ? item.substr(every.size()) : item,
                                                                "auto, none, or epochs, every:N and last")
                                       .front();
        if (epoch < (repeated ? 1 : 0))
            throw InputError("'{}' found, {}", item,
                             repeated ? "every: and at least 1 expected" : "epochs of at least 0 expected");
        if (repeated && epochs.every > 0) throw InputError("'{}' found, every:N expected only once", text);
        if (repeated)
            epochs.every = epoch;
        else
            epochs.listed.push_back(epoch);
    }
    return epochs;
}

ProbedLayers parse_probed_layers(const std::string& text) {
    if (text == "hidden") return {};
    if (text == "all") return {.kind = ProbedLayers::Kind::HiddenAndInput};
    ProbedLayers layers{.kind = ProbedLayers::Kind::Listed};
    for (const std::string& item : items_between_commas(text)) {
        const std::vector<std::int64_t> numbers = layer_and_target(item);
        layers.listed.push_back(
            {.layer = numbers[0], .target = {}, .softmax = item.ends_with(softmax_target), .name = item});
        if (numbers.size() > 1) layers.listed.back().target = numbers[1];
    }
    return layers;
}

void FilterFlags::add_to(CLI::App& app, const std::string& group) {
    app.add_option("--inv-delta", inv_delta,
                   "grid of 1/delta: auto, authors (that of the paper's programs), LO:HI:N or log:LO:HI:N")
        ->check(parses([](const std::string& s) {
            if (s != "authors") FilterGridRequest::parse(s);
        }))
        ->group(group);
    app.add_option(
           "--scale", scale,
           "of each dimension of the features: max-abs (divided by its largest magnitude), centred (its "
           "mean subtracted first) or none")
        ->check(parses(parse_column_scaling))
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
        ->check(parses(parse_probed_epochs))
        ->group(group);
    app.add_option(
           "--probe-layers", layers,
           "hidden (all of them), all (the input too), or a list as 1,3,-2; -3:-1 measures f[-3] against "
           "the network's output f[-1] in place of the labels, -3:softmax against softmax of it")
        ->check(parses(parse_probed_layers))
        ->group(group);
    app.add_option("--probe-samples", samples, "measure on the first N training samples; 0: on all")
        ->check(at_least(0))
        ->group(group);
    filter.add_to(app, group);
}

void ProbeFlags::check_within(std::int64_t last_epoch) const {
    for (const std::int64_t epoch : parse_probed_epochs(epochs).listed)
        if (epoch > last_epoch)
            throw InputError("--probe-epochs lists epoch {}, expected at most the last, {}", epoch,
                             last_epoch);
}

ProbePlan ProbeFlags::plan() const {
    ProbePlan plan;
    plan.epochs = parse_probed_epochs(epochs);
    plan.layers = parse_probed_layers(layers);
    plan.samples = samples;
    plan.grid = filter.grid();
    plan.scaling = parse_column_scaling(filter.scale);
    plan.filter = filter.params();
    return plan;
}

}  // namespace deepfreq
