#include <algorithm>
#include <array>
#include <utility>

#include "kernels/cpu/spectrum_vector.h"
#include "kernels/cpu/spectrum_weights.h"

// Any targets: c + 1 multiply-adds per pair and node. The lanes of a vector are receiving rows, so sums over
// the other rows need no shuffling.

namespace deepfreq::spectrum {
namespace {

/// Targets and nodes processed at once: their sums are in registers.
constexpr int target_columns_at_once = 12;
constexpr int nodes_at_once = 2;

/// Pairs summed in float before the sum is added to the double one. (One-hot sums add 8 pairs first.)
constexpr int pairs_in_float = 64;

/// The weights of all pairs of `lanes` rows at two neighbouring nodes.
class WeightColumns {
  public:
    WeightColumns(const float* d, int count, std::span<const WeightChain> chains)
        : d_(d), count_(count), chain_(chains.data()) {
        weight_.back().fill(Vector{});  // unused if there is only one node, but must be a number
    }

    /// Computes the weights of the next node and stores them in entry `slot`.
    void make_next(int slot) {
        Vector* const to = weight_[slot].data();
        const Vector* const before = weight_[(slot + nodes_at_once - 1) % nodes_at_once].data();
        const bool begins = of_chain_ == 0;
        if (begins && chain_->fresh)
            for (int j = 0; j < count_; ++j) to[j] = power_of_half(load(d_ + j * tile_stride), chain_->first);
        else
            for (int j = 0; j < count_; ++j) to[j] = before[j] * ratio_[j];
        if (begins && chain_->fresh && chain_->count > 1)
            for (int j = 0; j < count_; ++j)
                ratio_[j] = power_of_half(load(d_ + j * tile_stride), chain_->step);
        if (begins && !chain_->fresh)
            for (int j = 0; j < count_; ++j) ratio_[j] *= ratio_[j];
        if (++of_chain_ < chain_->count) return;
        ++chain_;
        of_chain_ = 0;
    }

    const Vector& operator()(int slot, int j) const { return weight_[slot][j]; }

  private:
    const float* d_;
    int count_;
    const WeightChain* chain_;
    int of_chain_ = 0;
    std::array<Vector, block_rows> ratio_;
    std::array<std::array<Vector, block_rows>, nodes_at_once> weight_;
};

/// Sums of `lanes` rows at the nodes and targets processed at once.
using LaneSums = std::array<std::array<std::array<double, lanes>, nodes_at_once>, target_columns_at_once>;

/// sums[s][m] += sum over pairs j = first … last-1 of G_ij y[j][s], for C columns s.
template <int C>
void add_products(const WeightColumns& g, int first, int last, const float* y, int y_stride, LaneSums& sums) {
    Vector sum[nodes_at_once][C] = {};
    for (int j = first; j < last; ++j)
#pragma GCC unroll 12
        for (int s = 0; s < C; ++s) {
            const float target = y[j * y_stride + s];
#pragma GCC unroll 2
            for (int m = 0; m < nodes_at_once; ++m) sum[m][s] += g(m, j) * target;
        }
    for (int s = 0; s < C; ++s)
        for (int m = 0; m < nodes_at_once; ++m) add_to_double(sum[m][s], sums[s][m].data());
}

using AddProducts = void (*)(const WeightColumns&, int, int, const float*, int, LaneSums&);

template <int... C>
constexpr std::array<AddProducts, sizeof...(C)> table_of(std::integer_sequence<int, C...>) {
    return {&add_products<C + 1>...};
}
constexpr auto add_products_of = table_of(std::make_integer_sequence<int, target_columns_at_once>{});

}  // namespace

void add_by_column(const float* tile, const Block& from, int receiving_rows, const Targets& targets,
                   const Nodes& nodes, double* sums) {
    const float* const y = targets.value.data() + from.first * targets.columns;
    const int chunks = (targets.columns + target_columns_at_once - 1) / target_columns_at_once;
    for (int i = 0; i < receiving_rows; i += lanes) {
        WeightColumns g(tile + i, from.count, nodes.chains);
        for (int m = 0; m < nodes.count; m += nodes_at_once) {
            const int count = std::min(nodes_at_once, nodes.count - m);
            for (int slot = 0; slot < count; ++slot) g.make_next(slot);
            for (int chunk = 0; chunk < chunks; ++chunk) {
                const int first = targets.columns * chunk / chunks;
                const int columns = targets.columns * (chunk + 1) / chunks - first;
                LaneSums sum{};
                for (int j = 0; j < from.count; j += pairs_in_float)
                    add_products_of[columns - 1](g, j, std::min(j + pairs_in_float, from.count), y + first,
                                                 targets.columns, sum);
                for (int s = 0; s < columns; ++s)
                    for (int lane = 0; lane < lanes; ++lane)
                        for (int slot = 0; slot < count; ++slot)
                            sums[(std::int64_t{first + s} * block_rows + i + lane) * nodes.count + m +
                                 slot] += sum[s][slot][lane];
            }
        }
    }
}

}  // namespace deepfreq::spectrum
