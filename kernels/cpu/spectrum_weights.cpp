#include "kernels/cpu/spectrum_weights.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "kernels/cpu/spectrum_vector.h"

// Per pair and width there is one multiplication and one addition (one-hot targets) or c + 1 multiply-adds
// (others). The lanes of a vector are rows that receive, so sums over the other rows need no shuffling.
// Sums are in float within a tile and in double across tiles.

namespace deepfreq::spectrum {
namespace {

/// On an evenly spaced grid, G at the next width is G * R with R = exp(-distance * half_step): G is computed
/// anew after this many widths. G and R are within 1.1 ulp and every product adds half of one, so the error
/// of G stays below 31 * 1.6 + 1.1 ulp = 3.1e-6 (at worst; 1e-6 is seen), whatever the number of widths.
constexpr int widths_per_exp = 32;

/// Widths whose sums are kept at once in the first-level cache.
constexpr int widths_per_sweep = 128;

/// Pairs a register block holds: G and R of each are in registers.
constexpr int pairs_at_once = lanes == 16 ? 8 : 4;

/// sums[k] += sum of G over `V` pairs per lane, k = 0 … count-1. d points to V rows of a tile.
template <int V>
void add_pairs(const float* d, const Widths& widths, const WidthRange& range, Vector* sums) {
    Vector distance[V];
    Vector g[V];
    Vector r[V];
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
        distance[v] = load(d + v * tile_stride);
        r[v] = exp_minus(distance[v] * widths.half_step);
    }
    const int per_exp = widths.even ? widths_per_exp : 1;
    for (int k = 0; k < range.count; k += per_exp) {
        const float half = widths.half[range.first + k];
#pragma GCC unroll 8
        for (int v = 0; v < V; ++v) g[v] = exp_minus(distance[v] * half);
        for (int next = k;;) {
            Vector sum = g[0];
#pragma GCC unroll 8
            for (int v = 1; v < V; ++v) sum += g[v];
            sums[next] += sum;
            if (++next >= std::min(k + per_exp, range.count)) break;
#pragma GCC unroll 8
            for (int v = 0; v < V; ++v) g[v] *= r[v];
        }
    }
}

/// Weight sums of `lanes` rows over the one class of rows d[0 … count-1].
void add_run(const float* d, int count, const Widths& widths, const WidthRange& range, double* sums) {
    for (int first = 0; first < range.count; first += widths_per_sweep) {
        const WidthRange sweep{range.first + first, std::min(widths_per_sweep, range.count - first)};
        std::array<Vector, widths_per_sweep> sum;
        std::fill_n(sum.begin(), sweep.count, Vector{});
        int j = 0;
        for (; j + pairs_at_once <= count; j += pairs_at_once)
            add_pairs<pairs_at_once>(d + j * tile_stride, widths, sweep, sum.data());
        for (; j + 2 <= count; j += 2) add_pairs<2>(d + j * tile_stride, widths, sweep, sum.data());
        for (; j < count; ++j) add_pairs<1>(d + j * tile_stride, widths, sweep, sum.data());
        for (int k = 0; k < sweep.count; ++k) add_to_double(sum[k], sums + (first + k) * lanes);
    }
}

/// One-hot targets: class by class.
void add_by_class(const float* tile, int receiving_rows, const Block& from, const Targets& targets,
                  const Widths& widths, const WidthRange& range, double* sums) {
    const std::int64_t last = from.first + from.count;
    auto run = std::upper_bound(targets.runs.begin(), targets.runs.end(), from.first,
                                [](std::int64_t row, const Run& of) { return row < of.last; });
    for (; run != targets.runs.end() && run->first < last; ++run) {
        const int begin = static_cast<int>(std::max(run->first, from.first) - from.first);
        const int end = static_cast<int>(std::min(run->last, last) - from.first);
        double* const of_class = sums + std::int64_t{run->label} * range.count * block_rows;
        for (int i = 0; i < receiving_rows; i += lanes)
            add_run(tile + begin * tile_stride + i, end - begin, widths, range, of_class + i * range.count);
    }
}

/// Targets and widths taken at once: their sums are in registers.
constexpr int target_columns_at_once = 12;
constexpr int widths_at_once = 2;

/// Pairs summed in float before the sum goes over to double. Beside a weight of 1 (the row itself), each
/// addition of a tiny weight can lose 2^-25, and always to the same side: 64 of them 2e-6. (One-hot sums add
/// 8 pairs first.)
constexpr int pairs_in_float = 64;

/// G of `lanes` rows and all pairs, a few widths at a time.
class Weights {
  public:
    Weights(const float* d, int count, const Widths& widths) : d_(d), count_(count), widths_(widths) {
        if (!widths.even) return;
        for (int j = 0; j < count; ++j) r_[j] = exp_minus(load(d + j * tile_stride) * widths.half_step);
    }

    /// Makes G of width k the entry `slot`; `before` is the slot of width k-1, or -1 to compute anew.
    void make(int k, int slot, int before) {
        Vector* const g = g_[slot].data();
        if (before >= 0 && widths_.even)
            for (int j = 0; j < count_; ++j) g[j] = g_[before][j] * r_[j];
        else
            for (int j = 0; j < count_; ++j) g[j] = exp_minus(load(d_ + j * tile_stride) * widths_.half[k]);
    }

    const Vector& operator()(int slot, int j) const { return g_[slot][j]; }

  private:
    const float* d_;
    int count_;
    const Widths& widths_;
    std::array<Vector, block_rows> r_;
    std::array<std::array<Vector, block_rows>, widths_at_once> g_;
};

/// sums[s][k] += sum over pairs j = first … last-1 of G_j y[j][s], for C columns s and the first `count` of
/// widths_at_once widths k.
template <int C>
void add_products(const Weights& g, int first, int last, const float* y, int y_stride, int count,
                  double* sums, std::int64_t sums_stride) {
    Vector sum[widths_at_once][C] = {};
    for (int j = first; j < last; ++j)
#pragma GCC unroll 12
        for (int s = 0; s < C; ++s) {
            const float target = y[j * y_stride + s];
#pragma GCC unroll 2
            for (int k = 0; k < widths_at_once; ++k) sum[k][s] += g(k, j) * target;
        }
    for (int s = 0; s < C; ++s)
        for (int k = 0; k < count; ++k) add_to_double(sum[k][s], sums + s * sums_stride + k * lanes);
}

using AddProducts = void (*)(const Weights&, int, int, const float*, int, int, double*, std::int64_t);

template <int... C>
constexpr std::array<AddProducts, sizeof...(C)> table_of(std::integer_sequence<int, C...>) {
    return {&add_products<C + 1>...};
}
constexpr auto add_products_of = table_of(std::make_integer_sequence<int, target_columns_at_once>{});

/// Any targets: the weights of two widths at a time, then their products with all columns.
void add_by_column(const float* tile, int receiving_rows, const Block& from, const Targets& targets,
                   const Widths& widths, const WidthRange& range, double* sums) {
    const float* const y = targets.value.data() + from.first * targets.columns;
    const std::int64_t sums_stride = std::int64_t{range.count} * block_rows;
    const int chunks = (targets.columns + target_columns_at_once - 1) / target_columns_at_once;
    for (int i = 0; i < receiving_rows; i += lanes) {
        Weights g(tile + i, from.count, widths);
        for (int k = 0; k < range.count; k += widths_at_once) {
            const int count = std::min(widths_at_once, range.count - k);
            for (int slot = 0; slot < count; ++slot)
                g.make(range.first + k + slot, slot,
                       (k + slot) % widths_per_exp == 0 ? -1 : (slot + widths_at_once - 1) % widths_at_once);
            if (count < widths_at_once) g.make(range.first + k, count, -1);  // unused, but a number
            for (int chunk = 0; chunk < chunks; ++chunk) {
                const int first = targets.columns * chunk / chunks;
                const int columns = targets.columns * (chunk + 1) / chunks - first;
                for (int j = 0; j < from.count; j += pairs_in_float)
                    add_products_of[columns - 1](
                        g, j, std::min(j + pairs_in_float, from.count), y + first, targets.columns, count,
                        sums + first * sums_stride + i * range.count + k * lanes, sums_stride);
            }
        }
    }
}

}  // namespace

Widths::Widths(std::span<const double> inv_delta, double unit) {
    // Not 0, so that an infinitely far pair (a row and itself, left out) has weight 0 at any width; at this
    // width a distance of 4, the largest there is, still has weight exactly 1.
    constexpr double smallest = 1e-30;
    constexpr double largest = std::numeric_limits<float>::max();
    for (const double value : inv_delta)
        half.push_back(static_cast<float>(std::clamp(0.5 * value * unit * unit, smallest, largest)));

    const auto count = static_cast<double>(inv_delta.size());
    if (inv_delta.size() < 3) return;
    const double first = inv_delta.front();
    const double last = inv_delta.back();
    const double step = (last - first) / (count - 1.0);
    even = true;
    for (std::size_t k = 0; k < inv_delta.size(); ++k)
        if (std::fabs(inv_delta[k] - (first + static_cast<double>(k) * step)) > 1e-12 * last) even = false;
    half_step = static_cast<float>(std::clamp(0.5 * step * unit * unit, 0.0, largest));
}

void add_weighted_sums(const float* tile, int receiving_rows, const Block& from, const Targets& targets,
                       const Widths& widths, const WidthRange& range, double* sums) {
    (targets.one_hot ? add_by_class : add_by_column)(tile, receiving_rows, from, targets, widths, range,
                                                     sums);
}

void transpose(const float* from, float* to) {
    std::array<Vector, lanes> square;
    for (int i = 0; i < block_rows; i += lanes)
        for (int j = 0; j < block_rows; j += lanes) {
            for (int l = 0; l < lanes; ++l) square[l] = load(from + (i + l) * tile_stride + j);
            transpose_square(square);
            for (int l = 0; l < lanes; ++l) store(square[l], to + (j + l) * tile_stride + i);
        }
}

}  // namespace deepfreq::spectrum
