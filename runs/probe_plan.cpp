#include "runs/probe_plan.h"

#include <algorithm>
#include <tuple>

#include "common/error.h"

namespace deepfreq {
namespace {

int layer_of(std::int64_t l, int depth) {
    if (l < -depth || l > depth)
        throw InputError(Remedy::OtherProbedLayers, "layer {} is to be measured, expected one of -{} to {}",
                         l, depth, depth);
    return static_cast<int>(l < 0 ? depth + 1 + l : l);
}

}  // namespace

bool ProbedEpochs::is_due(std::int64_t epoch, bool is_last) const {
    if (is_last && last) return true;
    if (std::ranges::count(listed, epoch) > 0 || (every > 0 && epoch % every == 0)) return true;
    if (!automatic) return false;
    while (epoch >= 10 && epoch % 10 == 0) epoch /= 10;
    return epoch == 0 || epoch == 1 || epoch == 2 || epoch == 5;
}

std::vector<ProbedSet> ProbedLayers::sets(int depth) const {
    std::vector<ProbedSet> sets;
    if (kind != Kind::Listed) {
        for (int l = kind == Kind::Hidden ? 1 : 0; l < depth; ++l)
            sets.push_back({.layer = l, .target = {}, .name = std::to_string(l)});
        return sets;
    }
    for (const Item& item : listed) {
        ProbedSet set{
            .layer = layer_of(item.layer, depth), .target = {}, .softmax = item.softmax, .name = item.name};
        if (item.target) set.target = layer_of(*item.target, depth);
        sets.push_back(std::move(set));
    }
    const auto place = [](const ProbedSet& set) { return std::tuple(set.target, set.softmax, set.layer); };
    std::ranges::stable_sort(sets, {}, place);
    const auto twins = [&](const ProbedSet& a, const ProbedSet& b) { return place(a) == place(b); };
    sets.erase(std::unique(sets.begin(), sets.end(), twins), sets.end());
    return sets;
}

std::string ProbedLayers::text() const {
    if (kind != Kind::Listed) return "the hidden";
    std::string names;
    for (const Item& item : listed) names += (names.empty() ? "" : ",") + item.name;
    return names;
}

ProbeOptions ProbePlan::options(int depth, std::int64_t train_samples) const {
    if (samples > train_samples)
        throw InputError(Remedy::FewerProbedSamples,
                         "{} samples are to be measured, expected at most the {} training samples", samples,
                         train_samples);
    ProbeOptions options;
    options.sets = layers.sets(depth);
    options.samples = samples == 0 ? train_samples : samples;
    options.grid = grid;
    options.scaling = scaling;
    options.filter = filter;
    return options;
}

}  // namespace deepfreq
