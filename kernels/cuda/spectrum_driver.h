#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <vector>

#include "common/error.h"
#include "kernels/buffer.h"
#include "kernels/cuda/spectrum_prepare.h"
#include "kernels/cuda/spectrum_weights.h"

// Energy of the low-frequency part (eqs. 3 to 5) for a grid of widths, on the device: the order of the
// kernels.
//
// `Device` runs them (spectrum.cu on the GPU, tests/cuda_spectrum_test.cpp on the host):
//     using Products = …;                                    makes the products of a tile
//     (spectrum_distances.h) template <class T> using Memory = …;                   Memory<T>(…).data()
//     Limits limits() const;
//     Memory<T> take<T>(count);                              uninitialised
//     void each(count, kernel); void blocks(count, kernel);  as in block.h
//     void sort(label, order, sorted_label, sorted_order, n);  ascending by label, stable
//     std::vector<T> read(const T* from, count); void write(const std::vector<T>& from, T* to);

namespace deepfreq::cuda::spectrum {

/// The grid of filter widths, as the exponents want it.
struct Grid {
    std::vector<float> half;  ///< 1 / (2 delta), then widths_at_once zeros
    bool even = false;        ///< evenly spaced, `half_step` apart
    float half_step = 0.0F;

    /// 1/delta belongs to distances times unit^2.
    Grid(std::span<const double> inv_delta, double unit) {
        // Not 0, so that an infinitely far pair (a row and itself, left out) has weight 0 at any width; at
        // this width a distance of 4, the largest there is, still has weight exactly 1.
        constexpr double smallest = 1e-30;
        constexpr double largest = std::numeric_limits<float>::max();
        half.reserve(inv_delta.size() + widths_at_once);
        for (const double value : inv_delta)
            half.push_back(static_cast<float>(std::clamp(0.5 * value * unit * unit, smallest, largest)));
        half.resize(inv_delta.size() + widths_at_once, 0.0F);

        if (inv_delta.size() < 3) return;
        const double first = inv_delta.front();
        const double last = inv_delta.back();
        const double step = (last - first) / static_cast<double>(inv_delta.size() - 1);
        even = true;
        for (std::size_t k = 0; k < inv_delta.size(); ++k)
            if (std::fabs(inv_delta[k] - (first + static_cast<double>(k) * step)) > 1e-12 * last)
                even = false;
        half_step = static_cast<float>(std::clamp(0.5 * step * unit * unit, 0.0, largest));
    }
};

/// Largest magnitude of x[count] on the device.
template <class Device, class T>
T largest_magnitude(Device& device, const T* x, std::int64_t count) {
    const std::int64_t many = std::clamp<std::int64_t>(count, 1, 65536);
    const std::int64_t few = std::min<std::int64_t>(many, 256);
    const auto of_many = device.template take<T>(many);
    const auto of_few = device.template take<T>(few);
    device.each(many, LargestMagnitudes<T>{x, count, many, of_many.data()});
    device.each(few, LargestMagnitudes<T>{of_many.data(), many, few, of_few.data()});
    const std::vector<T> found = device.read(of_few.data(), few);
    return *std::max_element(found.begin(), found.end());
}

/// The order of the samples that suits their targets, and the targets in that order.
template <class Device>
class Targets {
  public:
    Targets(Device& device, ConstTensor y)
        : n_(y.rows()), c_(y.columns()), order_(device.template take<std::int32_t>(n_)) {
        const auto label = device.template take<std::int32_t>(n_);
        const auto order = device.template take<std::int32_t>(n_);
        const auto sorted = device.template take<std::int32_t>(n_);
        const auto starts = device.template take<std::int64_t>(c_ + 1);
        device.each(n_, OneHotLabels{y.data, c_, label.data(), order.data()});
        device.sort(label.data(), order.data(), sorted.data(), order_.data(), n_);
        device.each(c_ + 1, RunStarts{sorted.data(), n_, starts.data()});
        starts_ = device.read(starts.data(), c_ + 1);
        one_hot_ = starts_.front() == 0;  // else the first rows have label -1
        if (one_hot_) return;
        device.each(n_, LargestTargets{y.data, c_, label.data(), order.data()});
        device.sort(label.data(), order.data(), sorted.data(), order_.data(), n_);
        starts_ = {0, n_};
        unit_ = power_of_two_above(static_cast<double>(largest_magnitude(device, y.data, n_ * c_))) / largest;
    }

    bool one_hot() const { return one_hot_; }
    const std::int32_t* order() const { return order_.data(); }
    std::span<const std::int64_t> starts() const { return starts_; }
    double unit() const { return unit_; }
    /// Sums a segment: one-hot 1, else one per target and one of the weights.
    int columns() const { return one_hot_ ? 1 : static_cast<int>(c_ + 1); }
    /// Classes that occur.
    std::int64_t runs() const {
        std::int64_t count = 0;
        for (std::size_t s = 1; s < starts_.size(); ++s) count += starts_[s] > starts_[s - 1] ? 1 : 0;
        return count;
    }

  private:
    /// Targets are scaled up to this: a tile's sum of them cannot overflow, and a target down to 2^-40 of the
    /// largest times the smallest weight is still a normal float.
    static constexpr double largest = 0x1p40;

    std::int64_t n_, c_;
    typename Device::template Memory<std::int32_t> order_;
    std::vector<std::int64_t> starts_;
    bool one_hot_ = false;
    double unit_ = 1.0;
};

/// The features in the forms that distances want, all divided by `unit`, a power of two that brings the
/// longest centred row below 1: so squared distances stay below 4 and cannot overflow.
template <class Device>
class Features {
  public:
    Features(Device& device, ConstTensor x, const std::int32_t* order)
        : n_(x.rows()),
          d_(x.columns()),
          chunks_(static_cast<int>((d_ + chunk - 1) / chunk)),
          direct_(d_ <= 2 * chunk || n_ <= device.limits().direct_rows),
          row_(device.template take<float>(padded() * chunks_ * chunk)),
          split_(device.template take<std::uint16_t>(direct_ ? 0 : padded() * chunks_ * split_halves)),
          shape_(device.template take<RowShape>(direct_ ? 0 : padded())) {
        const auto mean = device.template take<double>(d_);
        const auto square = device.template take<double>(padded() * chunks_);
        const auto length = device.template take<double>(n_);
        column_means(device, x.data, n_, d_, mean.data());
        device.each(n_ * chunks_, ChunkSquares{x.data, d_, chunks_, mean.data(), square.data()});
        device.each(n_, Lengths{square.data(), chunks_, length.data()});
        unit_ = power_of_two_above(largest_magnitude(device, length.data(), n_));
        device.each(padded() * chunks_,
                    FillRows{x.data, order, mean.data(), length.data(), n_, d_, padded(), chunks_, unit_,
                             row_.data(), direct_ ? nullptr : split_.data(), square.data()});
        if (!direct_)
            device.each(padded(),
                        RowShapes{square.data(), order, length.data(), n_, chunks_, unit_, shape_.data()});
    }

    double unit() const { return unit_; }
    Samples samples() const {
        return {n_, padded(), chunks_, direct_, row_.data(), split_.data(), shape_.data()};
    }

  private:
    std::int64_t padded() const { return padded_rows_of(n_); }

    std::int64_t n_, d_;
    int chunks_;
    bool direct_;
    typename Device::template Memory<float> row_;
    typename Device::template Memory<std::uint16_t> split_;
    typename Device::template Memory<RowShape> shape_;
    double unit_ = 1.0;
};

/// Kernels::gaussian_low_frequency_energy. n, c and the number of widths are at least 1.
template <class Device>
class LowFrequencyEnergy {
  public:
    LowFrequencyEnergy(Device& device, ConstTensor x, ConstTensor y, std::span<const double> inv_delta,
                       const LowFrequencyParams& params)
        : device_(device),
          targets_(device, y),
          features_(device, x, targets_.order()),
          grid_(inv_delta, features_.unit()),
          widths_(static_cast<int>(inv_delta.size())),
          pass_(plan_pass({x.rows(), widths_, targets_.runs(), targets_.columns()}, device.limits())),
          partition_(partition(targets_.starts(), pass_.parts)),
          segments_(device.template take<Segment>(segment_count())),
          first_segment_(device.template take<std::int32_t>(pass_.parts + 1)),
          half_(device.template take<float>(widths_ + widths_at_once)),
          value_(device.template take<float>(
              targets_.one_hot() ? 0 : padded_rows_of(x.rows()) * targets_.columns())),
          sums_(device.template take<math::CompensatedSum>(in_pass() * segment_count() * targets_.columns())),
          row_energy_(device.template take<double>(in_pass())),
          block_energy_(device.template take<double>(in_pass() / tile_rows)),
          diagonal_(params.exclude_self ? out_of_sight : 0.0F),
          exclude_self_(params.exclude_self),
          nearest_(device.template take<double>(exclude_self_ ? padded_rows_of(x.rows()) : 0)),
          stop_(params.stop) {
        device.write(partition_.segments, segments_.data());
        device.write(partition_.first_segment, first_segment_.data());
        device.write(grid_.half, half_.data());
        if (!targets_.one_hot())
            device.each(
                padded_rows_of(x.rows()) * targets_.columns(),
                FillTargets{y.data, targets_.order(), x.rows(), y.columns(), targets_.unit(), value_.data()});
    }

    std::vector<double> compute() {
        if (exclude_self_) find_nearest();
        std::vector<double> energy(static_cast<std::size_t>(widths_), 0.0);
        const std::int64_t row_blocks = blocks_for(features_.samples().n, tile_rows);
        for (int width = 0; width < widths_; width += pass_.widths)
            for (std::int64_t block = 0; block < row_blocks; block += pass_.row_blocks) {
                if (stop_ && stop_()) throw Interrupted();
                add_pass(block, std::min(pass_.row_blocks, row_blocks - block), width,
                         std::min(pass_.widths, widths_ - width), energy);
            }
        for (double& value : energy) value *= targets_.unit() * targets_.unit();
        return energy;
    }

  private:
    /// Rows and widths of a pass: what is kept for each segment and target.
    std::int64_t in_pass() const { return pass_.row_blocks * stored_widths(pass_.widths) * tile_rows; }
    std::int64_t segment_count() const { return static_cast<std::int64_t>(partition_.segments.size()); }

    /// With exclude_self: the squared distance of every row to its nearest other.
    void find_nearest() {
        const Samples x = features_.samples();
        const std::int64_t row_blocks = blocks_for(x.n, tile_rows), rows = row_blocks * tile_rows;
        const auto parts = static_cast<int>(
            std::clamp<std::int64_t>(blocks_for(waves_wanted * device_.limits().resident_blocks, row_blocks),
                                     1, blocks_for(x.n, tile_columns)));
        const auto of_parts = device_.template take<double>(parts * rows);
        device_.blocks(row_blocks * parts,
                       NearestOthers<typename Device::Products>{x, parts, rows, of_parts.data()});
        device_.each(rows, NearestOfParts{of_parts.data(), parts, rows, nearest_.data()});
    }

    /// Adds the energies of some rows at some widths.
    void add_pass(std::int64_t first_block, std::int64_t row_blocks, int first_width, int widths,
                  std::vector<double>& energy) {
        const std::int64_t first_row = first_block * tile_rows;
        const auto stored = static_cast<int>(stored_widths(widths));
        const Widths range{half_.data() + first_width, widths, stored, grid_.even, grid_.half_step};
        const std::int64_t blocks = row_blocks * pass_.parts;
        const bool two = device_.limits().tiles_at_once > 1;
        if (targets_.one_hot())
            two ? sum_weights<true, 2>(blocks, first_row, range)
                : sum_weights<true, 1>(blocks, first_row, range);
        else
            two ? sum_weights<false, 2>(blocks, first_row, range)
                : sum_weights<false, 1>(blocks, first_row, range);
        device_.each(row_blocks * widths * tile_rows,
                     RowEnergies{sums_.data(), segments_.data(), segment_count(), targets_.one_hot(),
                                 targets_.columns(), widths, stored, first_row, features_.samples().n,
                                 row_energy_.data()});
        device_.each(row_blocks * widths, BlockEnergies{row_energy_.data(), block_energy_.data()});
        const std::vector<double> found = device_.read(block_energy_.data(), row_blocks * widths);
        for (std::size_t i = 0; i < found.size(); ++i)
            energy[static_cast<std::size_t>(first_width) + i % static_cast<std::size_t>(widths)] += found[i];
    }

    template <bool OneHot, int Tiles>
    void sum_weights(std::int64_t blocks, std::int64_t first_row, const Widths& range) {
        device_.blocks(blocks, WeightedSums<typename Device::Products, OneHot, Tiles>{
                                   features_.samples(), range, segments_.data(), first_segment_.data(),
                                   segment_count(), first_row, pass_.parts, value_.data(), targets_.columns(),
                                   diagonal_, exclude_self_ ? nearest_.data() : nullptr, sums_.data()});
    }

    Device& device_;
    Targets<Device> targets_;
    Features<Device> features_;
    Grid grid_;
    int widths_;
    Pass pass_;
    Partition partition_;
    typename Device::template Memory<Segment> segments_;
    typename Device::template Memory<std::int32_t> first_segment_;
    typename Device::template Memory<float> half_;
    typename Device::template Memory<float> value_;
    typename Device::template Memory<math::CompensatedSum> sums_;
    typename Device::template Memory<double> row_energy_;
    typename Device::template Memory<double> block_energy_;
    float diagonal_;
    bool exclude_self_;
    typename Device::template Memory<double> nearest_;  ///< with exclude_self: [rows]
    const std::function<bool()>& stop_;
};

}  // namespace deepfreq::cuda::spectrum
