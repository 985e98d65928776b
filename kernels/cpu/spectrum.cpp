#include <omp.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "kernels/cpu/spectrum_backend.h"
#include "kernels/cpu/spectrum_energy.h"
#include "kernels/cpu/spectrum_plan.h"
#include "kernels/cpu/spectrum_progress.h"
#include "kernels/cpu/spectrum_vector.h"
#include "kernels/cpu/spectrum_weights.h"

// Energy of the low-frequency part (eqs. 3 to 5) for a grid of widths, in one pass over the pairs of samples:
// first sums at nodes (kernels/filter_nodes.h), then from a row's sums its energy at every width.
//
// The samples are divided into blocks of rows. For each pair of blocks, a tile of squared distances is
// computed (one matrix product). It serves every node and both blocks: as it is, it adds to the sums of one
// block, and transposed to those of the other. Which pairs of blocks run at the same time is fixed by the
// blocks, not by the threads: every block occurs once per round, so no sum has two writers, and each is
// accumulated in the same order for any number of threads. The sums of all rows are kept until all pairs have
// been seen. If that needs too much memory, the rows are taken in several passes. If even the sums at the
// nodes of a few blocks need too much, the sums are computed at the widths, which can also be taken a part at
// a time.

namespace deepfreq {
namespace {

using namespace spectrum;

/// Enough blocks at a time to keep the threads busy, with fewer widths per pass if need be.
constexpr std::int64_t blocks_wanted = 16;

class LowFrequencyEnergy {
  public:
    LowFrequencyEnergy(SpectrumBackend& backend, const SpectrumSamples& samples,
                       const LowFrequencyParams& params)
        : plan_(backend, samples, params,
                std::min((samples.x.rows() + block_rows - 1) / block_rows, blocks_wanted)),
          targets_(plan_.targets()),
          x_(plan_.features()),
          exclude_self_(params.exclude_self),
          nearest_(params.exclude_self ? static_cast<std::size_t>(samples.x.rows()) : 0,
                   std::numeric_limits<double>::infinity()),
          blocks_per_pass_(std::clamp<std::int64_t>(
              sums_limit / ((plan_.block_sums() + plan_.widths_per_pass()) * 8), 1, x_.blocks())),
          progress_(params.stop, &params.progress, tiles()),
          energy_(samples.inv_deltas.size(), 0.0),
          sums_(backend.allocate(static_cast<std::size_t>(blocks_per_pass_ * plan_.block_sums()) *
                                 sizeof(double))),
          tiles_(backend.allocate_zeros({omp_get_max_threads(), 2, tile_floats})),
          block_energy_(static_cast<std::size_t>(blocks_per_pass_ * plan_.widths_per_pass())) {}

    std::vector<double> compute() {
        if (exclude_self_) find_all_nearest();
        for (first_width_ = 0; first_width_ < plan_.widths(); first_width_ += plan_.widths_per_pass()) {
            nodes_ = plan_.nodes(first_width_);
            for (first_ = 0; first_ < x_.blocks(); first_ += blocks_per_pass_) {
                last_ = std::min(first_ + blocks_per_pass_, x_.blocks());
                pass();
                progress_.throw_if_stopped();
            }
        }
        return energy_;
    }

  private:
    /// Number of tiles that all passes compute together.
    std::int64_t tiles() const {
        std::int64_t of_blocks = 0;
        for (std::int64_t first = 0; first < x_.blocks(); first += blocks_per_pass_) {
            const std::int64_t count = std::min(blocks_per_pass_, x_.blocks() - first);
            of_blocks += count * (count + 1) / 2 + count * (x_.blocks() - count);
        }
        return plan_.passes() * of_blocks + (exclude_self_ ? x_.blocks() * x_.blocks() : 0);
    }

    /// Computes the energies of the rows of blocks first_ … last_-1 at the widths of nodes_.
    void pass() {
        const std::int64_t count = last_ - first_;
        const WidthEnergies energies(nodes_, targets_, exclude_self_);
#pragma omp parallel
        {
            const FlushDenormals flush;
            WidthEnergies::RowSums room = energies.row_sums();
#pragma omp for schedule(static)
            for (std::int64_t a = first_; a < last_; ++a) std::fill_n(sums_of(a), plan_.block_sums(), 0.0);
            for (std::int64_t round = 0; round < count; ++round) {
#pragma omp for schedule(dynamic) nowait
                for (std::int64_t a = 0; a < count; ++a) {
                    const std::int64_t b = (round - a + count) % count;  // for b, the same rule gives a
                    if (a <= b && progress_.going_on()) add_both_ways(first_ + a, first_ + b);
                }
                if (!progress_.another_after(round)) break;
            }
#pragma omp for schedule(dynamic) nowait
            for (std::int64_t a = first_; a < last_; ++a) {
                for (std::int64_t b = 0; b < x_.blocks(); ++b)
                    if ((b < first_ || b >= last_) && progress_.going_on()) {
                        make_tile(b, a);
                        add(b, a, tile());
                        progress_.step();
                    }
                if (progress_.going_on()) add_energies(energies, a, room);
            }
            progress_.meet();
        }
        for (std::int64_t a = 0; a < count; ++a)
            for (std::int64_t k = 0; k < std::ssize(nodes_.widths); ++k)
                energy_[first_width_ + k] +=
                    block_energy_[a * plan_.widths_per_pass() + k] * targets_.unit * targets_.unit;
    }

    /// Turns the sums of a block's rows into their energies, all together.
    void add_energies(const WidthEnergies& energies, std::int64_t a, WidthEnergies::RowSums& room) {
        double* const energy = block_energy_.data() + (a - first_) * plan_.widths_per_pass();
        std::fill_n(energy, std::ssize(nodes_.widths), 0.0);
        const Block rows = x_.block(a);
        for (int i = 0; i < rows.count; ++i)
            energies.of_row(rows.first + i, i, sums_of(a), room,
                            [&](int k, double of_row) { energy[k] += of_row; });
    }

    /// With exclude_self: finds the squared distance of every row to its nearest other row.
    void find_all_nearest() {
#pragma omp parallel
        {
            const FlushDenormals flush;
#pragma omp for schedule(dynamic) nowait
            for (std::int64_t a = 0; a < x_.blocks(); ++a)
                for (std::int64_t b = 0; b < x_.blocks() && progress_.going_on(); ++b) {
                    make_tile(a, b);
                    find_nearest({x_, a}, {x_, b}, tile(), nearest_.data() + x_.block(a).first);
                    progress_.step();
                }
            progress_.meet();
        }
        progress_.throw_if_stopped();
        if (x_.n == 1) nearest_[0] = 0.0;  // there is no other row
    }

    /// Adds what the rows of blocks a and b give each other.
    void add_both_ways(std::int64_t a, std::int64_t b) {
        make_tile(a, b);
        if (targets_.one_hot && !exclude_self_) {
            add_by_class(tile(), x_.block(a), x_.block(b), targets_, {nodes_.chains, nodes_.count},
                         a == b ? nullptr : sums_of(a), sums_of(b));
        } else {
            float* const transposed = tile() + tile_floats;
            if (a != b) transpose(tile(), transposed);
            add(a, b, tile());
            if (a != b) add(b, a, transposed);
        }
        progress_.step();
    }

    void make_tile(std::int64_t a, std::int64_t b) {
        squared_distances({x_, a}, {x_, b}, tile());
        if (a != b) return;
        for (int i = 0; i < x_.block(a).count; ++i) tile()[i * tile_stride + i] = out_of_sight;
    }

    /// Adds what the rows of block `from` give to those of block `to`. Overwrites their distances.
    void add(std::int64_t from, std::int64_t to, float* distances) {
        if (exclude_self_)
            take_off_nearest({x_, from}, {x_, to}, nearest_.data() + x_.block(to).first, distances);
        add_one_way(distances, x_.block(from), x_.block(to).count, targets_, {nodes_.chains, nodes_.count},
                    sums_of(to));
    }

    double* sums_of(std::int64_t block) const {
        return static_cast<double*>(sums_.data()) + (block - first_) * plan_.block_sums();
    }
    float* tile() const {
        return static_cast<float*>(tiles_.data()) + std::int64_t{omp_get_thread_num()} * 2 * tile_floats;
    }

    Plan plan_;
    const Targets& targets_;
    const Features& x_;
    bool exclude_self_;
    std::vector<double> nearest_;  ///< with exclude_self: [n]
    std::int64_t blocks_per_pass_;
    Progress progress_;
    std::vector<double> energy_;
    Buffer sums_;                       ///< [blocks_per_pass], laid out as in spectrum_weights.h
    Buffer tiles_;                      ///< per thread: a tile of distances and its transpose
    std::vector<double> block_energy_;  ///< [blocks_per_pass][widths_per_pass]
    FilterNodes nodes_;                 ///< of the widths of this pass
    std::int64_t first_width_ = 0;
    std::int64_t first_ = 0, last_ = 0;  ///< blocks of this pass
};

}  // namespace

std::vector<double> CpuSpectrumBackend::execute(const GaussianLowFrequencyEnergy& op) {
    return LowFrequencyEnergy(*this, op.samples, op.params).compute();
}

}  // namespace deepfreq
