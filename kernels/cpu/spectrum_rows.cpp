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

// The energies of listed rows. A thread copies some of them into a block of their own and accumulates what
// all samples give them, block by block, in the order that the targets require. Each row is a lane of its own
// there, and whatever is done to it (computing a distance, recomputing it, adding to a sum) depends only on
// its own sample and the other one. So neither the neighbouring rows nor the number of threads matter.

namespace deepfreq {
namespace {

using namespace spectrum;

/// Number of blocks whose sums should fit into sums_limit together, so that this many threads can have one
/// each. It does not depend on the number of threads, because then the widths per pass, and so the last
/// digits, would too.
constexpr std::int64_t blocks_at_once = 16;

class RowEnergies {
  public:
    RowEnergies(SpectrumBackend& backend, const SpectrumSamples& samples, std::span<const std::int64_t> rows,
                const LowFrequencyParams& params)
        : plan_(backend, samples, params, blocks_at_once),
          targets_(plan_.targets()),
          x_(plan_.features()),
          exclude_self_(params.exclude_self),
          sample_(places_of(rows)),
          threads_(static_cast<int>(
              std::clamp<std::int64_t>(sums_limit / (8 * plan_.block_sums()), 1, omp_get_max_threads()))),
          rows_at_once_(rows_at_once()),
          progress_(params.stop, &params.progress, steps()),
          nearest_(params.exclude_self ? sample_.size() : 0, std::numeric_limits<double>::infinity()),
          energy_(rows.size() * samples.inv_deltas.size()),
          sums_(backend.allocate(static_cast<std::size_t>(threads_ * plan_.block_sums()) * sizeof(double))),
          thread_floats_(tile_floats + static_cast<std::int64_t>(gathered_floats(x_))),
          floats_(backend.allocate_zeros({threads_, thread_floats_})) {}

    std::vector<double> compute() {
        for (std::int64_t width = 0; width < plan_.widths(); width += plan_.widths_per_pass()) {
            const FilterNodes nodes = plan_.nodes(width);
            const WidthEnergies energies(nodes, targets_, exclude_self_);
#pragma omp parallel num_threads(threads_)
            {
                const FlushDenormals flush;
                WidthEnergies::RowSums room = energies.row_sums();
#pragma omp for schedule(dynamic) nowait
                for (std::int64_t first = 0; first < std::ssize(sample_); first += rows_at_once_) {
                    const Receiving rows = receiving(first);
                    if (exclude_self_ && width == 0) find_nearest_of(rows);
                    add_all_samples(rows, nodes);
                    const double unit = targets_.unit * targets_.unit;
                    for (int i = 0; i < rows.count && progress_.going_on(); ++i) {
                        double* const energy = energy_.data() + (first + i) * plan_.widths() + width;
                        energies.of_row(sample_[first + i], i, sums(), room,
                                        [&](int k, double of_row) { energy[k] = of_row * unit; });
                    }
                }
                progress_.meet();
            }
            progress_.throw_if_stopped();
        }
        return std::move(energy_);
    }

  private:
    /// Listed rows that a thread has taken.
    struct Receiving {
        std::int64_t first;  ///< in the list
        int count;
        Features x;
    };

    /// Positions of the listed rows among the sorted ones.
    std::vector<std::int64_t> places_of(std::span<const std::int64_t> rows) const {
        std::vector<std::int64_t> place(targets_.order.size());
        for (std::size_t i = 0; i < place.size(); ++i)
            place[static_cast<std::size_t>(targets_.order[i])] = static_cast<std::int64_t>(i);
        std::vector<std::int64_t> found;
        for (const std::int64_t row : rows) found.push_back(place[static_cast<std::size_t>(row)]);
        return found;
    }

    /// Few enough that every thread gets some, in whole vectors of a product.
    std::int64_t rows_at_once() const {
        constexpr std::int64_t together = std::int64_t{product_vectors} * lanes;
        const std::int64_t share = (std::ssize(sample_) + threads_ - 1) / threads_;
        return std::min<std::int64_t>(block_rows, (share + together - 1) / together * together);
    }

    std::int64_t steps() const {
        const std::int64_t blocks = (std::ssize(sample_) + rows_at_once_ - 1) / rows_at_once_;
        return (plan_.passes() + (exclude_self_ ? 1 : 0)) * blocks * x_.blocks();
    }

    Receiving receiving(std::int64_t first) {
        const std::int64_t count = std::min(rows_at_once_, std::ssize(sample_) - first);
        return {first, static_cast<int>(count),
                gather(x_, std::span(sample_).subspan(first, count), tile() + tile_floats)};
    }

    /// Calls something(place, j) for each row whose own sample is the jth of a block.
    template <class Do>
    void for_each_own(const Receiving& rows, const Block& block, Do something) const {
        for (int i = 0; i < rows.count; ++i)
            if (const std::int64_t j = sample_[rows.first + i] - block.first; j >= 0 && j < block.count)
                something(i, j);
    }

    /// With exclude_self: finds the squared distance of each of these rows to its nearest other row.
    void find_nearest_of(const Receiving& rows) {
        double* const nearest = nearest_.data() + rows.first;
        for (std::int64_t b = 0; b < x_.blocks() && progress_.going_on(); ++b, progress_.step()) {
            squared_distances({rows.x}, {x_, b}, tile());
            for_each_own(rows, x_.block(b),
                         [&](int i, std::int64_t j) { tile()[i * tile_stride + j] = out_of_sight; });
            find_nearest({rows.x}, {x_, b}, tile(), nearest);
        }
        if (x_.n == 1) std::fill_n(nearest, rows.count, 0.0);  // there is no other row
    }

    /// Computes the sums of these rows at the nodes.
    void add_all_samples(const Receiving& rows, const FilterNodes& nodes) {
        std::fill_n(sums(), plan_.block_sums(), 0.0);
        for (std::int64_t b = 0; b < x_.blocks() && progress_.going_on(); ++b, progress_.step()) {
            squared_distances({x_, b}, {rows.x}, tile());
            for_each_own(rows, x_.block(b),
                         [&](int i, std::int64_t j) { tile()[j * tile_stride + i] = out_of_sight; });
            if (exclude_self_) take_off_nearest({x_, b}, {rows.x}, nearest_.data() + rows.first, tile());
            add_one_way(tile(), x_.block(b), rows.count, targets_, {nodes.chains, nodes.count}, sums());
        }
    }

    double* sums() const {
        return static_cast<double*>(sums_.data()) + omp_get_thread_num() * plan_.block_sums();
    }
    /// Followed by the thread's gathered rows.
    float* tile() const {
        return static_cast<float*>(floats_.data()) + omp_get_thread_num() * thread_floats_;
    }

    Plan plan_;
    const Targets& targets_;
    const Features& x_;
    bool exclude_self_;
    std::vector<std::int64_t> sample_;  ///< position of each listed row among the sorted ones
    int threads_;
    std::int64_t rows_at_once_;
    Progress progress_;
    std::vector<double> nearest_;  ///< with exclude_self: for each listed row
    std::vector<double> energy_;   ///< [listed rows][widths]
    Buffer sums_;                  ///< [threads], laid out as in spectrum_weights.h
    std::int64_t thread_floats_;
    Buffer floats_;  ///< [threads]: a tile of distances, and the rows of a block
};

}  // namespace

std::vector<double> CpuSpectrumBackend::execute(const GaussianLowFrequencyRowEnergies& op) {
    return RowEnergies(*this, op.samples, op.rows, op.params).compute();
}

}  // namespace deepfreq
