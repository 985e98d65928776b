#include <algorithm>
#include <array>

#include "kernels/cpu/spectrum_vector.h"
#include "kernels/cpu/spectrum_weights.h"

// One-hot targets: the samples are sorted by class, so that what a row receives from a class is a sum of
// weights. Each weight is computed once and added to the sums of both its samples: the rows of a tile are the
// samples of one block, the lanes of its vectors those of the other. This takes one multiplication and two
// additions per pair and node. Sums are in float over at most rows_in_float rows or lanes_at_once lanes, and
// in double beyond that.

namespace deepfreq::spectrum {
namespace {

/// Nodes, lanes and rows whose sums are kept in the first-level cache.
constexpr int nodes_per_sweep = 128;
constexpr int lanes_at_once = 128;
constexpr int rows_in_float = 64;

/// Rows and vectors of lanes whose pairs are in registers, with a weight and a ratio each.
constexpr int rows_at_once = 2;
constexpr int vectors_at_once = lanes == 16 ? 4 : 2;

/// Lanes first … last-1 of a tile; all of one class if the rows receive too.
struct LaneRun {
    int first, last, label;
};

/// The sums of one sweep of nodes, for the rows and lanes being processed. Strides and order keep a load from
/// waiting for a store to another address with the same last 12 bits.
struct Sums {
    static constexpr int row_stride = nodes_per_sweep + 8;

    int count = 0;                                                           ///< nodes
    std::array<Vector, std::size_t{rows_at_once} * row_stride> of_rows{};    ///< [row][row_stride]
    std::array<Vector, lanes_at_once / lanes * nodes_per_sweep> of_lanes{};  ///< [vector of lanes][count]
};

/// The weights of R rows and V vectors of lanes, one node after the other. Masked: lanes for which `hidden`
/// is out of sight have weight 0.
template <int R, int V, bool Masked>
class Weights {
  public:
    Weights(const float* d, const Vector& hidden) : d_(d), hidden_(hidden) {}

    /// The weights at a chain's first node.
    void begin(const WeightChain& chain) {
        if (chain.fresh) {
            each([&](int p) { weight_[p] = power_of_half(distance(p), chain.first); });
            if (chain.count > 1) each([&](int p) { ratio_[p] = power_of_half(distance(p), chain.step); });
        } else {
            next();
            each([&](int p) { ratio_[p] *= ratio_[p]; });
        }
    }

    /// The weights at the next node of the chain.
    void next() {
        each([&](int p) { weight_[p] *= ratio_[p]; });
    }

    Vector sum_of_lanes(int v) const {
        Vector sum = weight_[v];
#pragma GCC unroll 8
        for (int r = 1; r < R; ++r) sum += weight_[r * V + v];
        return sum;
    }
    Vector sum_of_row(int r) const {
        if constexpr (V == 4)
            return (weight_[r * V] + weight_[r * V + 1]) + (weight_[r * V + 2] + weight_[r * V + 3]);
        Vector sum = weight_[r * V];
#pragma GCC unroll 8
        for (int v = 1; v < V; ++v) sum += weight_[r * V + v];
        return sum;
    }

  private:
    template <class F>
    static void each(const F& f) {
#pragma GCC unroll 8
        for (int p = 0; p < R * V; ++p) f(p);
    }
    Vector distance(int p) const {
        const Vector d = load(d_ + p / V * tile_stride + p % V * lanes);
        if constexpr (!Masked) return d;
        return hidden_ > d ? hidden_ : d;
    }

    const float* d_;
    const Vector& hidden_;
    Vector weight_[R * V] = {}, ratio_[R * V] = {};
};

/// Adds the weights of R rows and V vectors of lanes. d points to the first of them.
template <int R, int V, bool Masked, bool BothWays>
void add_pairs(const float* d, const Vector& hidden, std::span<const WeightChain> chains, int count,
               Vector* of_lanes, Vector* of_rows) {
    Weights<R, V, Masked> weights(d, hidden);
    const auto add = [&] {
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) of_lanes[v * count] += weights.sum_of_lanes(v);
        ++of_lanes;
        if constexpr (BothWays) {
#pragma GCC unroll 8
            for (int r = 0; r < R; ++r) of_rows[r * Sums::row_stride] += weights.sum_of_row(r);
            ++of_rows;
        }
    };
    for (const WeightChain& chain : chains) {
        weights.begin(chain);
        add();
        for (int k = 1; k < chain.count; ++k) {
            weights.next();
            add();
        }
    }
}

/// Adds the weights of R rows and the lanes of a run. d points to the first row; the first lane of `sums` is
/// `begin`.
template <int R, bool BothWays>
void add_rows(const float* d, const LaneRun& run, int begin, std::span<const WeightChain> chains,
              Sums& sums) {
    const auto of_lanes = [&](int lane) {
        return sums.of_lanes.data() + (lane - begin) / lanes * sums.count;
    };
    for (int lane = run.first / lanes * lanes; lane < run.last;) {
        const int left = run.last - lane;
        if (lane < run.first || left < lanes) {
            Vector hidden{};
            for (int l = 0; l < lanes; ++l)
                if (lane + l < run.first || lane + l >= run.last) hidden[l] = out_of_sight;
            add_pairs<R, 1, true, BothWays>(d + lane, hidden, chains, sums.count, of_lanes(lane),
                                            sums.of_rows.data());
            lane += lanes;
        } else if (left < vectors_at_once * lanes) {
            add_pairs<R, 1, false, BothWays>(d + lane, Vector{}, chains, sums.count, of_lanes(lane),
                                             sums.of_rows.data());
            lane += lanes;
        } else {
            add_pairs<R, vectors_at_once, false, BothWays>(d + lane, Vector{}, chains, sums.count,
                                                           of_lanes(lane), sums.of_rows.data());
            lane += vectors_at_once * lanes;
        }
    }
}

/// The nodes of as many leading chains as have sums that stay in the first-level cache. The chain after them
/// must be a fresh one.
Nodes first_sweep(std::span<const WeightChain> chains) {
    std::size_t taken = 0;
    int count = 0;
    for (std::size_t end = 0; end < chains.size();) {
        int more = 0;
        do more += chains[end++].count;
        while (end < chains.size() && !chains[end].fresh);
        if (count > 0 && count + more > nodes_per_sweep) break;
        taken = end;
        count += more;
    }
    return {chains.first(taken), count};
}

/// The classes of rows first … last-1 of a block, as lanes or rows of a tile.
std::vector<LaneRun> runs_of(const Targets& targets, const Block& block, int first, int last) {
    std::vector<LaneRun> found;
    for (int row = first; row < last;) {
        const Run& run = targets.run_of(block.first + row);
        const int end = static_cast<int>(std::min<std::int64_t>(last, run.last - block.first));
        found.push_back({row, end, run.label});
        row = end;
    }
    return found;
}

/// One tile of pairs, at one sweep of nodes.
template <bool BothWays>
class TileSums {
  public:
    TileSums(const float* tile, const Block& of_rows, const Block& of_lanes, const Targets& targets,
             int stride)
        : tile_(tile), rows_(of_rows), lanes_(of_lanes), targets_(targets), stride_(stride) {}

    void add(const Nodes& nodes, double* to_rows, double* to_lanes) {
        sums_.count = nodes.count;
        for (int first = 0; first < lanes_.count; first += lanes_at_once) {
            const int last = std::min(first + lanes_at_once, lanes_.count);
            const std::vector<LaneRun> lane_runs =
                BothWays ? runs_of(targets_, lanes_, first, last) : std::vector<LaneRun>{{first, last, 0}};
            for (int row = 0; row < rows_.count; row += rows_in_float)
                for (const LaneRun& run :
                     runs_of(targets_, rows_, row, std::min(row + rows_in_float, rows_.count))) {
                    std::fill_n(sums_.of_lanes.begin(), lanes_at_once / lanes * nodes.count, Vector{});
                    int r = run.first;
                    for (; r + rows_at_once <= run.last; r += rows_at_once)
                        add_rows_of<rows_at_once>(r, lane_runs, first, nodes.chains, to_rows);
                    for (; r < run.last; ++r) add_rows_of<1>(r, lane_runs, first, nodes.chains, to_rows);
                    keep_lanes(first, last, to_lanes + std::int64_t{run.label} * block_rows * stride_);
                }
        }
    }

  private:
    template <int R>
    void add_rows_of(int row, const std::vector<LaneRun>& runs, int first_lane,
                     std::span<const WeightChain> chains, double* to_rows) {
        for (const LaneRun& run : runs) {
            if constexpr (BothWays)
                for (int r = 0; r < R; ++r)
                    std::fill_n(sums_.of_rows.begin() + r * Sums::row_stride, sums_.count, Vector{});
            add_rows<R, BothWays>(tile_ + std::int64_t{row} * tile_stride, run, first_lane, chains, sums_);
            if constexpr (BothWays)
                for (int r = 0; r < R; ++r)
                    for (int m = 0; m < sums_.count; m += lanes)
                        add_to_double(
                            sums_of_lanes(sums_.of_rows.data() + r * Sums::row_stride + m),
                            to_rows + (std::int64_t{run.label} * block_rows + row + r) * stride_ + m,
                            std::min(lanes, sums_.count - m));
        }
    }

    /// Transposes vectors of lanes into rows of numbers.
    void keep_lanes(int first, int last, double* to) const {
        for (int lane = first; lane < last; lane += lanes)
            for (int m = 0; m < sums_.count; m += lanes) {
                std::array<Vector, lanes> square{};
                const Vector* const from = sums_.of_lanes.data() + (lane - first) / lanes * sums_.count + m;
                const int count = std::min(lanes, sums_.count - m);
                std::copy_n(from, count, square.begin());
                transpose_square(square);
                for (int l = 0; l < std::min(lanes, last - lane); ++l)
                    add_to_double(square[l], to + std::int64_t{lane + l} * stride_ + m, count);
            }
    }

    const float* tile_;
    Block rows_, lanes_;
    const Targets& targets_;
    int stride_;
    Sums sums_{};
};

template <bool BothWays>
void add_tile(const float* tile, const Block& of_rows, const Block& of_lanes, const Targets& targets,
              const Nodes& nodes, double* to_rows, double* to_lanes) {
    TileSums<BothWays> sums(tile, of_rows, of_lanes, targets, nodes.count);
    for (std::span<const WeightChain> chains = nodes.chains; !chains.empty();) {
        const Nodes sweep = first_sweep(chains);
        sums.add(sweep, to_rows, to_lanes);
        chains = chains.subspan(sweep.chains.size());
        to_rows += sweep.count;
        to_lanes += sweep.count;
    }
}

}  // namespace

void add_by_class(const float* tile, const Block& of_rows, const Block& of_lanes, const Targets& targets,
                  const Nodes& nodes, double* to_rows, double* to_lanes) {
    if (to_rows != nullptr)
        add_tile<true>(tile, of_rows, of_lanes, targets, nodes, to_rows, to_lanes);
    else
        add_tile<false>(tile, of_rows, of_lanes, targets, nodes, to_lanes, to_lanes);
}

}  // namespace deepfreq::spectrum
