#include <omp.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <vector>

#include "common/error.h"
#include "kernels/cpu/cpu_backend.h"
#include "kernels/cpu/spectrum_samples.h"
#include "kernels/cpu/spectrum_vector.h"
#include "kernels/cpu/spectrum_weights.h"

// Energy of the low-frequency part (eqs. 3 to 5) for a grid of widths, in one pass over the pairs of samples.
//
// The samples are cut into blocks of rows. For two blocks, a tile of squared distances is made (one matrix
// product), and serves every width and both blocks: seen as it is, it adds to the sums of the one, transposed
// to those of the other. Which pairs of blocks run at the same time is fixed by the blocks, not by the
// threads: in a round every block occurs once, so no sum has two writers, and each is added up in the same
// order on any number of threads. The sums of all rows are kept until all pairs are seen; where they would
// need too much memory, the rows (then also the widths) are taken in several passes.

namespace deepfreq {
namespace {

using namespace spectrum;

/// Bytes for the sums of one pass.
constexpr std::int64_t sums_limit = std::int64_t{224} << 20;

/// Enough blocks at a time to keep the threads busy; fewer widths a pass if need be.
constexpr std::int64_t blocks_wanted = 16;

/// Squared distance of a row to itself when it is to be left out.
constexpr float out_of_sight = 1e38F;

class LowFrequencyEnergy {
  public:
    LowFrequencyEnergy(Kernels& kernels, ConstTensor x, ConstTensor y, std::span<const double> inv_delta,
                       const LowFrequencyParams& params)
        : targets_(prepare_targets(y)),
          x_(prepare_features(kernels, x, targets_.order)),
          widths_(inv_delta, x_.unit),
          diagonal_(params.exclude_self ? out_of_sight : 0.0F),
          nearest_(params.exclude_self ? static_cast<std::size_t>(x.rows()) : 0,
                   std::numeric_limits<double>::infinity()),
          stop_(params.stop),
          energy_(inv_delta.size(), 0.0) {
        const auto width_count = static_cast<std::int64_t>(inv_delta.size());
        const std::int64_t bytes_per_width = std::int64_t{targets_.sums()} * block_rows * 8;  // and block
        const std::int64_t blocks = x_.blocks();
        widths_per_pass_ = std::clamp<std::int64_t>(
            sums_limit / (std::min(blocks, blocks_wanted) * bytes_per_width), 1, width_count);
        block_sums_ = widths_per_pass_ * bytes_per_width / 8;
        blocks_per_pass_ = std::clamp<std::int64_t>(sums_limit / (block_sums_ * 8), 1, blocks);
        sums_ = kernels.allocate(static_cast<std::size_t>(blocks_per_pass_ * block_sums_) * sizeof(double));
        tiles_ = kernels.allocate_zeros({omp_get_max_threads(), 2, tile_floats});
        block_energy_.resize(static_cast<std::size_t>(blocks_per_pass_ * widths_per_pass_));
    }

    std::vector<double> compute() {
        const int width_count = static_cast<int>(energy_.size());
        if (!nearest_.empty()) find_all_nearest();
        for (int first = 0; first < width_count; first += static_cast<int>(widths_per_pass_)) {
            range_ = {first, std::min(static_cast<int>(widths_per_pass_), width_count - first)};
            for (first_ = 0; first_ < x_.blocks(); first_ += blocks_per_pass_) {
                last_ = std::min(first_ + blocks_per_pass_, x_.blocks());
                pass();
                if (stopped_) throw Interrupted();
            }
        }
        if (!products_done_) throw RunError("oneDNN: matrix product of distances failed, expected success");
        return energy_;
    }

  private:
    /// The energies of rows of blocks first_ … last_-1 at the widths of range_.
    void pass() {
        const std::int64_t count = last_ - first_;
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
                sum_energy(a);
            }
        }
        for (std::int64_t a = 0; a < count; ++a)
            for (int k = 0; k < range_.count; ++k)
                energy_[range_.first + k] +=
                    block_energy_[a * widths_per_pass_ + k] * targets_.unit * targets_.unit;
    }

    /// With exclude_self: the squared distance of every row to its nearest other.
    void find_all_nearest() {
#pragma omp parallel
        {
            const FlushDenormals flush;
#pragma omp for schedule(dynamic)
            for (std::int64_t a = 0; a < x_.blocks(); ++a)
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
        float* const transposed = tile() + tile_floats;
        if (a != b) transpose(tile(), transposed);
        add(a, b, tile());
        if (a != b) add(b, a, transposed);
    }

    void make_tile(std::int64_t a, std::int64_t b) {
        if (!squared_distances(x_, a, b, diagonal_, tile())) products_done_ = false;
    }

    /// What the rows of block `from` give those of block `to`, by their distances, which are overwritten.
    void add(std::int64_t from, std::int64_t to, float* distances) {
        if (!nearest_.empty()) take_off_nearest(x_, from, to, nearest_.data(), distances);
        add_weighted_sums(distances, x_.block(to).count, x_.block(from), targets_, widths_, range_,
                          sums_of(to));
    }

    /// Energy of the rows of a block, from their finished sums: |sum_j y_j G_ij|^2 / (sum_j G_ij)^2 each.
    void sum_energy(std::int64_t block) {
        const int rows = x_.block(block).count;
        const int sums = targets_.sums();
        double* const energy = block_energy_.data() + (block - first_) * widths_per_pass_;
        std::fill_n(energy, range_.count, 0.0);
        for (int i = 0; i < rows; i += lanes)
            for (int k = 0; k < range_.count; ++k) {
                std::array<double, lanes> square{};
                std::array<double, lanes> weight{};
                for (int s = 0; s < sums; ++s) {
                    const double* const sum =
                        sums_of(block) + (std::int64_t{s} * block_rows + i) * range_.count + k * lanes;
                    const bool is_weight = targets_.one_hot || s == sums - 1;
                    const bool is_target = targets_.one_hot || s < sums - 1;
                    for (int lane = 0; lane < lanes; ++lane) {
                        weight[lane] += is_weight ? sum[lane] : 0.0;
                        square[lane] += is_target ? sum[lane] * sum[lane] : 0.0;
                    }
                }
                for (int lane = 0; lane < std::min(lanes, rows - i); ++lane)
                    if (weight[lane] > 0.0) energy[k] += square[lane] / (weight[lane] * weight[lane]);
            }
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
    Widths widths_;
    float diagonal_;
    std::vector<double> nearest_;  ///< with exclude_self: [n]
    const std::function<bool()>& stop_;
    std::vector<double> energy_;
    std::int64_t widths_per_pass_ = 0;
    std::int64_t blocks_per_pass_ = 0;
    std::int64_t block_sums_ = 0;       ///< doubles kept per block
    Buffer sums_;                       ///< [blocks_per_pass], as add_weighted_sums has them
    Buffer tiles_;                      ///< per thread: a tile of distances and its transpose
    std::vector<double> block_energy_;  ///< [blocks_per_pass][widths_per_pass]
    WidthRange range_{};
    std::int64_t first_ = 0, last_ = 0;  ///< blocks of this pass
    std::atomic<bool> products_done_ = true;
    std::atomic<bool> stopped_ = false;
};

}  // namespace

std::vector<double> CpuKernels::do_gaussian_low_frequency_energy(ConstTensor x, ConstTensor y,
                                                                 std::span<const double> inv_delta,
                                                                 const LowFrequencyParams& params) {
    if (inv_delta.empty()) return {};
    return LowFrequencyEnergy(*this, x, y, inv_delta, params).compute();
}

}  // namespace deepfreq
