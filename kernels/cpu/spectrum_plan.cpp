#include "kernels/cpu/spectrum_plan.h"

#include <algorithm>

#include "kernels/cpu/spectrum_vector.h"

namespace deepfreq::spectrum {
namespace {

/// Longest chain of weights at evenly spaced widths. Its error stays below 3.1e-6 + 31 * 0.6e-7.
constexpr int longest_chain = 32;

WeightArithmetic arithmetic_for(const Targets& targets) {
    return {.exponential_error = exponential_error,
            .product_error = 0x1p-24,
            .exponential_cost = 11.0,
            .sum_cost = targets.one_hot ? 1.0 : static_cast<double>(targets.columns),
            .fit_cost = 3e6,
            .longest_chain = longest_chain};
}

}  // namespace

bool better_at_nodes(const PassCost& nodes, const PassCost& widths, std::int64_t width_passes) {
    const auto busy = static_cast<double>(std::min(nodes.blocks, widths.blocks));
    return static_cast<double>(widths.blocks) * nodes.of_pair <=
           busy * static_cast<double>(width_passes) * widths.of_pair;
}

Plan::Plan(SpectrumBackend& backend, const SpectrumSamples& samples, const LowFrequencyParams& params,
           std::int64_t blocks_at_once)
    : targets_(prepare_targets(samples.y)),
      x_(prepare_features(backend, samples.x, params.scale, targets_.order, params.stop)) {
    for (const double value : samples.inv_deltas) exponents_.push_back(0.5 * value * x_.unit * x_.unit);
    const std::int64_t bytes_per_node = std::int64_t{targets_.sums()} * block_rows * 8;  // and per block
    const std::int64_t widths_that_fit =
        std::clamp<std::int64_t>(sums_limit / (blocks_at_once * bytes_per_node), 1, widths());
    first_nodes_ = choose_nodes(exponents_, x_.n, x_.largest_distance, arithmetic_for(targets_), params.sums,
                                params.stop);
    const auto cost_of_pair = [&](std::int64_t weights) {
        return static_cast<double>(x_.d) +
               static_cast<double>(weights) * (1.0 + arithmetic_for(targets_).sum_cost);
    };
    widths_per_pass_ = widths_that_fit;
    if (!first_nodes_.are_widths() &&
        better_at_nodes(
            {sums_limit / (first_nodes_.count * bytes_per_node), cost_of_pair(first_nodes_.count)},
            {blocks_at_once, cost_of_pair(widths_that_fit)}, passes()))
        widths_per_pass_ = widths();
    else
        first_nodes_ =
            nodes_at_widths(std::span(exponents_).first(widths_per_pass_), arithmetic_for(targets_));
    // With widths, a later pass may have one more node than the first: a width of 0 has none.
    block_sums_ = (first_nodes_.are_widths() ? widths_per_pass_ : first_nodes_.count) * bytes_per_node / 8;
}

FilterNodes Plan::nodes(std::int64_t first) const {
    if (first == 0) return first_nodes_;
    const std::span rest = std::span(exponents_).subspan(first);
    return nodes_at_widths(rest.first(std::min<std::size_t>(rest.size(), widths_per_pass_)),
                           arithmetic_for(targets_));
}

}  // namespace deepfreq::spectrum
