#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "common/error.h"
#include "kernels/buffer.h"
#include "kernels/cuda/measuring_kernels.h"
#include "kernels/cuda/spectrum_prepare.h"
#include "kernels/cuda/spectrum_weights.h"
#include "kernels/filter_nodes.h"

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

/// How far weights are off here, and what they cost (in products): choose_nodes wants to know.
inline WeightArithmetic arithmetic_for(int columns) {
    return {.exponential_error = exponential_error,
            .product_error = 0x1p-24,
            .exponential_cost = 6.0,
            .sum_cost = static_cast<double>(columns),
            .least_samples = 16000,
            .longest_chain = longest_chain,
            .most_octaves_per_exponential = 1};
}

/// The same chains, cut into such as the kernels have.
inline std::vector<WeightChain> cut_chains(std::span<const WeightChain> chains) {
    std::vector<WeightChain> out;
    for (WeightChain left : chains)
        while (left.count > 0) {
            // Two halves rather than a long one and single ones.
            const int count = *std::ranges::find_if(
                chain_lengths, [&](int length) { return length == left.count || 2 * length <= left.count; });
            out.push_back({count, left.first, count > 1 ? left.step : 0.0F});
            left.first += static_cast<float>(count) * left.step;
            left.count -= count;
        }
    return out;
}

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
    Targets(Device& device, ConstTensor y, const RowSample& rows)
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
        if (!one_hot_) {
            device.each(n_, LargestTargets{y.data, c_, label.data(), order.data()});
            device.sort(label.data(), order.data(), sorted.data(), order_.data(), n_);
            starts_ = {0, n_};
        }
        if (!rows.all(n_)) put_first(device, rows, sorted.data());
        if (one_hot_) return;
        unit_ = power_of_two_above(static_cast<double>(largest_magnitude(device, y.data, n_ * c_))) / largest;
    }

    bool one_hot() const { return one_hot_; }
    const std::int32_t* order() const { return order_.data(); }
    std::span<const std::int64_t> starts() const { return starts_; }
    double unit() const { return unit_; }
    /// Sums a segment: one-hot 1, else one per target and one of the weights.
    int columns() const { return one_hot_ ? 1 : static_cast<int>(c_ + 1); }
    /// Of a range between two starts.
    std::int32_t label(std::size_t range) const {
        return static_cast<std::int32_t>(one_hot_ ? range % c_ : 0);
    }
    /// Ranges that are not empty.
    std::int64_t runs() const {
        std::int64_t count = 0;
        for (std::size_t s = 1; s < starts_.size(); ++s) count += starts_[s] > starts_[s - 1] ? 1 : 0;
        return count;
    }

  private:
    /// The sampled rows before the others, each sorted by class.
    void put_first(Device& device, const RowSample& rows, const std::int32_t* label) {
        const std::int64_t labels = one_hot_ ? c_ : 1;
        const auto key = device.template take<std::int32_t>(n_);
        const auto sorted = device.template take<std::int32_t>(n_);
        const auto starts = device.template take<std::int64_t>(2 * labels + 1);
        auto order = device.template take<std::int32_t>(n_);
        device.each(n_, SampledFirst{rows, one_hot_ ? label : nullptr, labels, n_, key.data()});
        device.sort(key.data(), order_.data(), sorted.data(), order.data(), n_);
        device.each(2 * labels + 1, RunStarts{sorted.data(), n_, starts.data()});
        starts_ = device.read(starts.data(), 2 * labels + 1);
        order_ = std::move(order);
    }

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
    Features(Device& device, ConstTensor original, const ColumnScale& scale, const std::int32_t* order)
        : n_(original.rows()),
          d_(original.columns()),
          chunks_(static_cast<int>((d_ + chunk - 1) / chunk)),
          direct_(d_ <= 2 * chunk || n_ <= device.limits().direct_rows),
          row_(device.template take<float>(padded() * chunks_ * chunk)),
          split_(device.template take<std::uint16_t>(direct_ ? 0 : padded() * chunks_ * split_halves)),
          shape_(device.template take<RowShape>(direct_ ? 0 : padded())) {
        const auto scaled = scaled_copy(device, original, scale);
        const float* const x = scale.given() ? scaled.data() : original.data;
        const auto mean = device.template take<double>(d_);
        const auto square = device.template take<double>(padded() * chunks_);
        const auto length = device.template take<double>(n_);
        column_means(device, x, n_, d_, mean.data());
        device.each(n_ * chunks_, ChunkSquares{x, d_, chunks_, mean.data(), square.data()});
        device.each(n_, Lengths{square.data(), chunks_, length.data()});
        const double longest = largest_magnitude(device, length.data(), n_);
        unit_ = power_of_two_above(longest);
        largest_distance_ = 1.001 * std::pow(2.0 * longest / unit_, 2.0);  // and what rounding adds
        device.each(padded() * chunks_,
                    FillRows{x, order, mean.data(), length.data(), n_, d_, padded(), chunks_, unit_,
                             row_.data(), direct_ ? nullptr : split_.data(), square.data()});
        if (!direct_)
            device.each(padded(),
                        RowShapes{square.data(), order, length.data(), n_, chunks_, unit_, shape_.data()});
    }

    double unit() const { return unit_; }
    /// No squared distance is larger.
    double largest_distance() const { return largest_distance_; }
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
    double unit_ = 1.0, largest_distance_ = 0.0;
};

/// Kernels::gaussian_low_frequency_energy. n, c and the number of widths are at least 1.
template <class Device>
class LowFrequencyEnergy {
  public:
    LowFrequencyEnergy(Device& device, ConstTensor x, ConstTensor y, std::span<const double> inv_delta,
                       const LowFrequencyParams& params)
        : device_(device),
          targets_(device, y, params.rows),
          features_(device, x, params.scale, targets_.order()),
          rows_(params.rows.count(x.rows())),
          exponents_(inv_delta.begin(), inv_delta.end()),
          pass_(plan(params)),
          partition_(partition(targets_, pass_.parts)),
          segments_(on_device(partition_.segments)),
          by_label_(on_device(segments_by_label())),
          first_segment_(on_device(partition_.first_segment)),
          value_(device.template take<float>(
              targets_.one_hot() ? 0 : padded_rows_of(x.rows()) * targets_.columns())),
          mean_(device.template take<double>(targets_.columns())),
          sums_(device.template take<math::CompensatedSum>(in_pass() * pass_.nodes * segment_count() *
                                                           targets_.columns())),
          exclude_self_(params.exclude_self),
          nearest_(device.template take<double>(exclude_self_ ? padded_rows_of(x.rows()) : 0)),
          stop_(params.stop) {
        if (targets_.one_hot()) return;
        device.each(
            padded_rows_of(x.rows()) * targets_.columns(),
            FillTargets{y.data, targets_.order(), x.rows(), y.columns(), targets_.unit(), value_.data()});
        column_means(device, value_.data(), x.rows(), targets_.columns(), mean_.data());
    }

    std::vector<double> compute() {
        if (exclude_self_) find_nearest();
        std::vector<double> energy(exponents_.size(), 0.0);
        const std::span<const double> exponents(exponents_);
        for (std::size_t first = 0; first < energy.size(); first += widths_per_pass_) {
            if (first > 0)
                nodes_ = nodes_at_widths(
                    exponents.subspan(first, std::min(widths_per_pass_, energy.size() - first)),
                    arithmetic());
            add_energies(std::span(energy).subspan(first, nodes_.widths.size()));
        }
        for (double& value : energy) value *= targets_.unit() * targets_.unit();
        return energy;
    }

  private:
    /// Energies of rows at widths that are kept at a time.
    static constexpr std::int64_t row_energies_limit = std::int64_t{8} << 20;

    /// Chooses the nodes and the size of a pass.
    Pass plan(const LowFrequencyParams& params) {
        const double unit = features_.unit();
        for (double& value : exponents_) value *= 0.5 * unit * unit;
        const std::int64_t samples = features_.samples().n;
        nodes_ = choose_nodes(exponents_, samples, features_.largest_distance(), arithmetic(), params.sums,
                              params.stop);
        Problem problem{rows_, samples, std::max(nodes_.count, 1), targets_.runs(), targets_.columns()};
        Pass pass = plan_pass(problem, device_.limits());
        widths_per_pass_ = exponents_.size();
        if (pass.nodes == problem.nodes) return pass;
        // Not all sums fit: widths, other than nodes, can be taken some at a time.
        problem.nodes = static_cast<int>(exponents_.size());
        pass = plan_pass(problem, device_.limits());
        widths_per_pass_ = static_cast<std::size_t>(pass.nodes);
        nodes_ = nodes_at_widths(std::span<const double>(exponents_).first(widths_per_pass_), arithmetic());
        return pass;
    }
    WeightArithmetic arithmetic() const { return arithmetic_for(targets_.columns()); }

    static Partition partition(const Targets<Device>& targets, int parts) {
        Partition found = spectrum::partition(targets.starts(), parts);
        for (Segment& segment : found.segments)
            segment.label = targets.label(static_cast<std::size_t>(segment.label));
        return found;
    }

    template <class T>
    auto on_device(const std::vector<T>& from) const {
        auto memory = device_.template take<T>(std::ssize(from));
        device_.write(from, memory.data());
        return memory;
    }

    /// Rows of a pass, with those that fill its last block.
    std::int64_t in_pass() const { return pass_.row_blocks * tile_rows; }
    std::int64_t segment_count() const { return static_cast<std::int64_t>(partition_.segments.size()); }

    /// With exclude_self: the squared distance of every row to its nearest other.
    void find_nearest() {
        const Samples x = features_.samples();
        const std::int64_t row_blocks = blocks_for(rows_, tile_rows), rows = row_blocks * tile_rows;
        const auto parts = static_cast<int>(
            std::clamp<std::int64_t>(blocks_for(waves_wanted * device_.limits().resident_blocks, row_blocks),
                                     1, blocks_for(x.n, tile_columns)));
        const auto of_parts = device_.template take<double>(parts * rows);
        device_.blocks(row_blocks * parts,
                       NearestOthers<typename Device::Products>{x, parts, rows, of_parts.data()});
        device_.each(rows, NearestOfParts{of_parts.data(), parts, rows, nearest_.data()});
    }

    /// Adds the energies of all rows at the widths of nodes_.
    void add_energies(std::span<double> energy) {
        const std::vector<WeightChain> cut = cut_chains(nodes_.chains);
        const auto chains = on_device(cut);
        const auto widths = on_device(nodes_.widths);
        const auto coefficients = on_device(nodes_.coefficients);
        const Nodes nodes{chains.data(), static_cast<int>(cut.size()), nodes_.count};
        const std::int64_t row_blocks = blocks_for(rows_, tile_rows);
        for (std::int64_t block = 0; block < row_blocks; block += pass_.row_blocks) {
            if (stop_ && stop_()) throw Interrupted();
            const std::int64_t count = std::min(pass_.row_blocks, row_blocks - block);
            sum_weights(count, block * tile_rows, nodes);
            const auto at_once =
                std::clamp<std::int64_t>(row_energies_limit / (count * tile_rows), 1, std::ssize(energy));
            for (std::int64_t first = 0; first < std::ssize(energy); first += at_once)
                add_row_energies(count, block * tile_rows, widths.data() + first, coefficients.data(),
                                 energy.subspan(first, std::min(at_once, std::ssize(energy) - first)));
        }
    }

    void sum_weights(std::int64_t row_blocks, std::int64_t first_row, const Nodes& nodes) {
        const std::int64_t blocks = row_blocks * pass_.parts;
        const bool two = device_.limits().tiles_at_once > 1;
        if (targets_.one_hot())
            two ? sum_weights<true, 2>(blocks, first_row, nodes)
                : sum_weights<true, 1>(blocks, first_row, nodes);
        else
            two ? sum_weights<false, 2>(blocks, first_row, nodes)
                : sum_weights<false, 1>(blocks, first_row, nodes);
    }

    template <bool OneHot, int Tiles>
    void sum_weights(std::int64_t blocks, std::int64_t first_row, const Nodes& nodes) {
        device_.blocks(blocks, WeightedSums<typename Device::Products, OneHot, Tiles>{
                                   features_.samples(), nodes, segments_.data(), first_segment_.data(),
                                   segment_count(), first_row, pass_.parts, value_.data(), targets_.columns(),
                                   exclude_self_ ? nearest_.data() : nullptr, sums_.data()});
    }

    /// Adds the energies of a pass's rows at some widths, from their sums.
    void add_row_energies(std::int64_t row_blocks, std::int64_t first_row, const FilterNodes::Width* width,
                          const double* coefficient, std::span<double> energy) {
        const auto widths = static_cast<int>(energy.size());
        const auto of_row = device_.template take<double>(row_blocks * tile_rows * widths);
        const auto of_block = device_.template take<double>(row_blocks * widths);
        device_.each(
            row_blocks * widths * tile_rows,
            RowEnergies{sums_.data(), segments_.data(), by_label_.data(), segment_count(), targets_.one_hot(),
                        exclude_self_, targets_.columns(), nodes_.count, width, coefficient, widths,
                        value_.data(), mean_.data(), first_row, rows_, features_.samples().n, of_row.data()});
        device_.each(row_blocks * widths, BlockEnergies{of_row.data(), of_block.data()});
        const std::vector<double> found = device_.read(of_block.data(), row_blocks * widths);
        for (std::size_t i = 0; i < found.size(); ++i) energy[i % energy.size()] += found[i];
    }

    /// Segments of one class follow each other.
    std::vector<std::int32_t> segments_by_label() const {
        std::vector<std::int32_t> order(partition_.segments.size());
        std::iota(order.begin(), order.end(), 0);
        std::ranges::stable_sort(order, {}, [&](std::int32_t s) { return partition_.segments[s].label; });
        return order;
    }

    Device& device_;
    Targets<Device> targets_;
    Features<Device> features_;
    std::int64_t rows_;              ///< that receive: the first so many
    std::vector<double> exponents_;  ///< at width k a pair's weight is exp(-exponents_[k] * distance)
    FilterNodes nodes_;
    std::size_t widths_per_pass_ = 0;
    Pass pass_;
    Partition partition_;
    typename Device::template Memory<Segment> segments_;
    typename Device::template Memory<std::int32_t> by_label_;  ///< the segments, those of one class together
    typename Device::template Memory<std::int32_t> first_segment_;
    typename Device::template Memory<float> value_;
    typename Device::template Memory<double> mean_;  ///< of each column of value_
    typename Device::template Memory<math::CompensatedSum> sums_;
    bool exclude_self_;
    typename Device::template Memory<double> nearest_;  ///< with exclude_self: [rows]
    const std::function<bool()>& stop_;
};

}  // namespace deepfreq::cuda::spectrum
