#include <omp.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <vector>

#include "common/error.h"
#include "kernels/cpu/measuring_backend.h"
#include "kernels/cpu/spectrum_energy.h"
#include "kernels/cpu/spectrum_samples.h"
#include "kernels/cpu/spectrum_vector.h"
#include "kernels/cpu/spectrum_weights.h"
#include "kernels/filter_nodes.h"

// Energy of the low-frequency part (eqs. 3 to 5) for a grid of widths, in one pass over the pairs of samples:
// sums at nodes (kernels/filter_nodes.h), and from those of a row its energy at every width.
//
// The samples are cut into blocks of rows. For two blocks, a tile of squared distances is made (one matrix
// product), and serves every node and both blocks: seen as it is, it adds to the sums of the one, transposed
// to those of the other. Which pairs of blocks run at the same time is fixed by the blocks, not by the
// threads: in a round every block occurs once, so no sum has two writers, and each is added up in the same
// order on any number of threads. The sums of all rows are kept until all pairs are seen; where they would
// need too much memory, the rows are taken in several passes. Where those at the nodes of a few blocks would,
// the sums are made at the widths, of which also a part can be taken at a time.

namespace deepfreq {
namespace {

using namespace spectrum;

/// Bytes for the sums of one pass.
constexpr std::int64_t sums_limit = std::int64_t{224} << 20;

/// Enough blocks at a time to keep the threads busy; fewer widths a pass if need be.
constexpr std::int64_t blocks_wanted = 16;

/// Longest chain of weights at evenly spaced widths: its error stays below 3.1e-6 + 31 * 0.6e-7.
constexpr int longest_chain = 32;

WeightArithmetic arithmetic_for(const Targets& targets) {
    return {.exponential_error = exponential_error,
            .product_error = 0x1p-24,
            .exponential_cost = 11.0,
            .sum_cost = targets.one_hot ? 1.0 : static_cast<double>(targets.columns),
            .least_samples = 2000,
            .longest_chain = longest_chain};
}

class LowFrequencyEnergy {
  public:
    LowFrequencyEnergy(MeasuringKernels& kernels, ConstTensor x, ConstTensor y,
                       std::span<const double> inv_delta, const LowFrequencyParams& params)
        : targets_(prepare_targets(y, params.rows)),
          x_(prepare_features(kernels, x, params.scale, targets_.order, params.stop)),
          rows_(params.rows.count(x.rows())),
          exclude_self_(params.exclude_self),
          nearest_(params.exclude_self ? static_cast<std::size_t>(x.rows()) : 0,
                   std::numeric_limits<double>::infinity()),
          stop_(params.stop),
          energy_(inv_delta.size(), 0.0) {
        for (const double value : inv_delta) exponents_.push_back(0.5 * value * x_.unit * x_.unit);
        const std::int64_t bytes_per_node = std::int64_t{targets_.sums()} * block_rows * 8;  // and block
        const std::int64_t blocks = receiving_blocks();
        const std::int64_t nodes_that_fit = sums_limit / (std::min(blocks, blocks_wanted) * bytes_per_node);
        nodes_ =
            choose_nodes(exponents_, x_.n, x_.largest_distance, arithmetic_for(targets_), params.sums, stop_);
        if (nodes_.are_widths() || nodes_.count > nodes_that_fit) {
            widths_per_pass_ = std::clamp<std::int64_t>(nodes_that_fit, 1, std::ssize(exponents_));
            nodes_ = nodes_at_widths(std::span(exponents_).first(widths_per_pass_), arithmetic_for(targets_));
        } else {
            widths_per_pass_ = std::ssize(exponents_);
        }
        // Of widths, the next may have a node more: one of 0 has none.
        block_sums_ = (nodes_.are_widths() ? widths_per_pass_ : nodes_.count) * bytes_per_node / 8;
        blocks_per_pass_ =
            std::clamp<std::int64_t>(sums_limit / ((block_sums_ + widths_per_pass_) * 8), 1, blocks);
        sums_ = kernels.allocate(static_cast<std::size_t>(blocks_per_pass_ * block_sums_) * sizeof(double));
        tiles_ = kernels.allocate_zeros({omp_get_max_threads(), 2, tile_floats});
        block_energy_.resize(static_cast<std::size_t>(blocks_per_pass_ * widths_per_pass_));
    }

    std::vector<double> compute() {
        const std::int64_t width_count = std::ssize(energy_);
        if (exclude_self_) find_all_nearest();
        for (first_width_ = 0; first_width_ < width_count; first_width_ += widths_per_pass_) {
            if (first_width_ > 0)
                nodes_ = nodes_at_widths(
                    std::span(exponents_)
                        .subspan(first_width_, std::min(widths_per_pass_, width_count - first_width_)),
                    arithmetic_for(targets_));
            for (first_ = 0; first_ < receiving_blocks(); first_ += blocks_per_pass_) {
                last_ = std::min(first_ + blocks_per_pass_, receiving_blocks());
                pass();
                if (stopped_) throw Interrupted();
            }
        }
        return energy_;
    }

  private:
    /// The energies of rows of blocks first_ … last_-1 at the widths of nodes_.
    void pass() {
        const std::int64_t count = last_ - first_;
        const WidthEnergies energies(nodes_, targets_, exclude_self_);
#pragma omp parallel
        {
            const FlushDenormals flush;
#pragma omp for schedule(static)
            for (std::int64_t a = first_; a < last_; ++a) std::fill_n(sums_of(a), block_sums_, 0.0);
            for (std::int64_t round = 0; round < count; ++round) {
#pragma omp for schedule(dynamic)
                for (std::int64_t a = 0; a < count; ++a) {
                    const std::int64_t b = (round - a + count) % count;  // of b the same rule makes a
                    if (a <= b && !stopped()) add_both_ways(first_ + a, first_ + b);
                }
            }
#pragma omp for schedule(dynamic)
            for (std::int64_t a = first_; a < last_; ++a) {
                for (std::int64_t b = 0; b < x_.blocks(); ++b)
                    if ((b < first_ || b >= last_) && !stopped()) make_tile(b, a), add(b, a, tile());
                if (!stopped())
                    energies.compute(receiving(a), sums_of(a),
                                     block_energy_.data() + (a - first_) * widths_per_pass_);
            }
        }
        for (std::int64_t a = 0; a < count; ++a)
            for (std::int64_t k = 0; k < std::ssize(nodes_.widths); ++k)
                energy_[first_width_ + k] +=
                    block_energy_[a * widths_per_pass_ + k] * targets_.unit * targets_.unit;
    }

    /// With exclude_self: the squared distance of every row to its nearest other.
    void find_all_nearest() {
#pragma omp parallel
        {
            const FlushDenormals flush;
#pragma omp for schedule(dynamic)
            for (std::int64_t a = 0; a < receiving_blocks(); ++a)
                for (std::int64_t b = 0; b < x_.blocks() && !stopped(); ++b) {
                    make_tile(a, b);
                    find_nearest(x_, a, b, tile(), nearest_.data());
                }
        }
        if (stopped_) throw Interrupted();
        if (x_.n == 1) nearest_[0] = 0.0;  // there is none
    }

    /// What the rows of blocks a and b give each other.
    void add_both_ways(std::int64_t a, std::int64_t b) {
        make_tile(a, b);
        if (targets_.one_hot && !exclude_self_) {
            add_by_class(tile(), x_.block(a), x_.block(b), targets_, {nodes_.chains, nodes_.count},
                         a == b ? nullptr : sums_of(a), sums_of(b));
            return;
        }
        float* const transposed = tile() + tile_floats;
        if (a != b) transpose(tile(), transposed);
        add(a, b, tile());
        if (a != b) add(b, a, transposed);
    }

    void make_tile(std::int64_t a, std::int64_t b) {
        squared_distances(x_, a, b, tile());
    }

    /// What the rows of block `from` give those of block `to`, by their distances, which are overwritten.
    void add(std::int64_t from, std::int64_t to, float* distances) {
        if (exclude_self_) take_off_nearest(x_, from, to, nearest_.data(), distances);
        const Nodes nodes{nodes_.chains, nodes_.count};
        if (targets_.one_hot)
            add_by_class(distances, x_.block(from), x_.block(to), targets_, nodes, nullptr, sums_of(to));
        else
            add_by_column(distances, x_.block(from), x_.block(to).count, targets_, nodes, sums_of(to));
    }

    std::int64_t receiving_blocks() const {
        return (rows_ + block_rows - 1) / block_rows;
    }
    Block receiving(std::int64_t block) const {
        const Block all = x_.block(block);
        return {all.first, static_cast<int>(std::min<std::int64_t>(all.count, rows_ - all.first))};
    }
    bool stopped() {
        if (!stopped_ && stop_ && stop_()) stopped_ = true;
        return stopped_;
    }
    double* sums_of(std::int64_t block) const {
        return static_cast<double*>(sums_.data()) + (block - first_) * block_sums_;
    }
    float* tile() const {
        return static_cast<float*>(tiles_.data()) + std::int64_t{omp_get_thread_num()} * 2 * tile_floats;
    }

    Targets targets_;
    Features x_;
    std::int64_t rows_;  ///< that receive: the first so many
    bool exclude_self_;
    std::vector<double> nearest_;  ///< with exclude_self: [n]
    const std::function<bool()>& stop_;
    std::vector<double> energy_;
    std::vector<double> exponents_;  ///< at width k a pair's weight is exp(-exponents_[k] * distance)
    FilterNodes nodes_;              ///< of the widths of this pass
    std::int64_t widths_per_pass_ = 0;
    std::int64_t blocks_per_pass_ = 0;
    std::int64_t block_sums_ = 0;       ///< doubles kept per block
    Buffer sums_;                       ///< [blocks_per_pass], as spectrum_weights.h has them
    Buffer tiles_;                      ///< per thread: a tile of distances and its transpose
    std::vector<double> block_energy_;  ///< [blocks_per_pass][widths_per_pass]
    std::int64_t first_width_ = 0;
    std::int64_t first_ = 0, last_ = 0;  ///< blocks of this pass
    std::atomic<bool> stopped_ = false;
};

}  // namespace

std::vector<double> CpuMeasuringKernels::do_gaussian_low_frequency_energy(ConstTensor x, ConstTensor y,
                                                                          std::span<const double> inv_delta,
                                                                          const LowFrequencyParams& params) {
    if (inv_delta.empty()) return {};
    return LowFrequencyEnergy(*this, x, y, inv_delta, params).compute();
}

}  // namespace deepfreq
