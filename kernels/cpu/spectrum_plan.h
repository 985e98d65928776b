#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cpu/spectrum_samples.h"
#include "kernels/filter_nodes.h"

namespace deepfreq::spectrum {

/// Bytes for the sums of one pass.
inline constexpr std::int64_t sums_limit = std::int64_t{224} << 20;

/// One pass over all pairs.
struct PassCost {
    std::int64_t blocks;  ///< whose sums fit in memory together; 0: not even one's
    double of_pair;       ///< in products: its distance, weights and sums
};

/// Whether one pass at the nodes takes less time than `width_passes` at the widths, on as many threads as the
/// latter have blocks. More threads than blocks have no work. The number of threads in use is not asked for:
/// the last digits of the result would depend on it.
bool better_at_nodes(const PassCost& nodes, const PassCost& widths, std::int64_t width_passes);

/// What a measurement starts from: the samples in suitable forms, and the nodes at which the sums over pairs
/// are computed. If so few blocks' sums at the nodes fit into sums_limit that it takes longer, they are
/// computed at the widths instead, which can be taken a part at a time.
class Plan {
  public:
    /// At the widths, as many are taken per pass as leave room in sums_limit for the sums of `blocks_at_once`
    /// blocks; at least one width, and then maybe fewer blocks.
    Plan(SpectrumBackend& backend, const SpectrumSamples& samples, const LowFrequencyParams& params,
         std::int64_t blocks_at_once);

    const Targets& targets() const { return targets_; }
    const Features& features() const { return x_; }
    std::int64_t widths() const { return std::ssize(exponents_); }
    std::int64_t widths_per_pass() const { return widths_per_pass_; }
    /// Passes needed for all widths.
    std::int64_t passes() const { return (widths() + widths_per_pass_ - 1) / widths_per_pass_; }
    /// Number of doubles for the sums of one block.
    std::int64_t block_sums() const { return block_sums_; }
    /// Nodes for the widths that one pass takes, from width `first` on.
    FilterNodes nodes(std::int64_t first) const;

  private:
    Targets targets_;
    Features x_;
    std::vector<double> exponents_;  ///< at width k a pair's weight is exp(-exponents_[k] * distance)
    FilterNodes first_nodes_;
    std::int64_t widths_per_pass_ = 0;
    std::int64_t block_sums_ = 0;
};

}  // namespace deepfreq::spectrum
