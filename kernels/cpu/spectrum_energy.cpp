#include "kernels/cpu/spectrum_energy.h"

#include <algorithm>

#include "kernels/cpu/spectrum_weights.h"

// The sums at the widths are a matrix product of the coefficients and the sums at the nodes. The coefficients
// of one width belong to neighbouring nodes, and those of neighbouring widths to nearly the same nodes.

namespace deepfreq::spectrum {
namespace {

constexpr int vectors_of_widths = 2;
constexpr int widths_at_once = vectors_of_widths * lanes / 2;
constexpr int sums_at_once = 4;

DoubleVector load_doubles(const double* from) {
    DoubleVector v;
    std::memcpy(&v, from, sizeof v);
    return v;
}

void add_doubles(const DoubleVector& v, double* to) {
    const DoubleVector sum = load_doubles(to) + v;
    std::memcpy(to, &sum, sizeof sum);
}

}  // namespace

WidthEnergies::WidthEnergies(const FilterNodes& nodes, const Targets& targets, bool exclude_self)
    : targets_(targets),
      nodes_(nodes.count),
      widths_(static_cast<int>(nodes.widths.size())),
      exclude_self_(exclude_self),
      groups_(static_cast<std::size_t>((widths_ + widths_at_once - 1) / widths_at_once),
              Group{nodes.count, 0}) {
    constant_.resize(groups_.size() * widths_at_once);
    for (std::size_t k = 0; k < nodes.widths.size(); ++k) {
        const auto& [first, count, coefficients, constant] = nodes.widths[k];
        constant_[k] = constant;
        Group& group = groups_[k / widths_at_once];
        group.first_node = std::min(group.first_node, first);
        group.last_node = std::max(group.last_node, first + count);
    }
    std::int64_t size = 0;
    for (Group& group : groups_) {
        group.coefficients = size;
        size += std::int64_t{group.last_node - group.first_node} * widths_at_once;
    }
    coefficient_.resize(static_cast<std::size_t>(size));
    for (std::size_t k = 0; k < nodes.widths.size(); ++k) {
        const auto& [first, count, coefficients, constant] = nodes.widths[k];
        const Group& group = groups_[k / widths_at_once];
        for (int m = 0; m < count; ++m) {
            const std::int64_t row = std::int64_t{first + m - group.first_node} * widths_at_once;
            coefficient_[static_cast<std::size_t>(group.coefficients + row) + k % widths_at_once] =
                nodes.coefficients[static_cast<std::size_t>(coefficients + m)];
        }
    }
}

/// Adds sums s … s + Sums - 1 of a row at every width, computed from those at the nodes.
template <int Sums>
void WidthEnergies::add_sums(std::int64_t row, int s, const double* at_node, RowSums& room) const {
    const std::int64_t sums_stride = std::int64_t{block_rows} * nodes_;
    // The sums at the nodes exclude the row itself. Its weight is 1 at any width, or it is left out.
    double own[Sums], others[Sums];
    for (int i = 0; i < Sums; ++i) {
        const double of_row = targets_.of(row, s + i);
        own[i] = exclude_self_ ? 0.0 : of_row;
        others[i] = targets_.total[s + i] - of_row;
    }
    const int last = targets_.sums() - 1;
    for (std::size_t g = 0; g < groups_.size(); ++g) {
        const std::size_t k = g * widths_at_once;
        DoubleVector sum[Sums][vectors_of_widths];
        for (int i = 0; i < Sums; ++i)
            for (int v = 0; v < vectors_of_widths; ++v)
                sum[i][v] = load_doubles(&constant_[k + v * lanes / 2]) * others[i] + own[i];
        const double* coefficients = coefficient_.data() + groups_[g].coefficients;
        for (int m = groups_[g].first_node; m < groups_[g].last_node; ++m, coefficients += widths_at_once) {
            DoubleVector coefficient[vectors_of_widths];
            for (int v = 0; v < vectors_of_widths; ++v)
                coefficient[v] = load_doubles(coefficients + v * lanes / 2);
#pragma GCC unroll 4
            for (int i = 0; i < Sums; ++i)
#pragma GCC unroll 4
                for (int v = 0; v < vectors_of_widths; ++v)
                    sum[i][v] += coefficient[v] * at_node[i * sums_stride + m];
        }
        for (int i = 0; i < Sums; ++i)
            for (int v = 0; v < vectors_of_widths; ++v) {
                if (targets_.one_hot || s + i == last)
                    add_doubles(sum[i][v], &room.weight[k + v * lanes / 2]);
                if (targets_.one_hot || s + i < last)
                    add_doubles(sum[i][v] * sum[i][v], &room.square[k + v * lanes / 2]);
            }
    }
}

WidthEnergies::RowSums WidthEnergies::row_sums() const {
    return {std::vector<double>(constant_.size()), std::vector<double>(constant_.size())};
}

void WidthEnergies::sum_row(std::int64_t row, int place, const double* sums, RowSums& room) const {
    std::ranges::fill(room.square, 0.0);
    std::ranges::fill(room.weight, 0.0);
    const auto at_node = [&](int s) { return sums + (std::int64_t{s} * block_rows + place) * nodes_; };
    int s = 0;
    for (; s + sums_at_once <= targets_.sums(); s += sums_at_once)
        add_sums<sums_at_once>(row, s, at_node(s), room);
    for (; s < targets_.sums(); ++s) add_sums<1>(row, s, at_node(s), room);
}

}  // namespace deepfreq::spectrum
