#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/buffer.h"
#include "kernels/cuda/reductions_kernels.h"
#include "kernels/cuda/spectrum_prepare.h"

// Features and targets on the device, in the order and the forms that the kernels need. `Device` is as in
// spectrum_driver.h.

namespace deepfreq::cuda::spectrum {

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

/// An order of the samples that suits their targets, and the targets in that order.
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
        if (!one_hot_) {
            device.each(n_, LargestTargets{y.data, c_, label.data(), order.data()});
            device.sort(label.data(), order.data(), sorted.data(), order_.data(), n_);
            starts_ = {0, n_};
        }
        starts_.erase(std::ranges::unique(starts_).begin(), starts_.end());
        if (one_hot_) return;
        unit_ = power_of_two_above(static_cast<double>(largest_magnitude(device, y.data, n_ * c_))) / largest;
    }

    bool one_hot() const { return one_hot_; }
    const std::int32_t* order() const { return order_.data(); }
    /// First samples of the classes that occur, in that order, followed by n; one class unless one-hot.
    const std::vector<std::int64_t>& starts() const { return starts_; }
    double unit() const { return unit_; }
    /// Number of sums per segment: 1 if one-hot, otherwise one per target plus one for the weights.
    int columns() const { return one_hot_ ? 1 : static_cast<int>(c_ + 1); }
    int runs() const { return static_cast<int>(std::ssize(starts_)) - 1; }

  private:
    /// Targets are scaled up to this value: halves are normal down to 2^-28 of it.
    static constexpr double largest = 0x1p14;

    std::int64_t n_, c_;
    typename Device::template Memory<std::int32_t> order_;
    std::vector<std::int64_t> starts_;
    bool one_hot_ = false;
    double unit_ = 1.0;
};

/// The receiving rows, if not all receive: by the caller's numbering, and by position among the sorted ones.
template <class Device>
class ListedRows {
  public:
    ListedRows(Device& device, std::span<const std::int64_t> rows, const std::int32_t* order, std::int64_t n)
        : count_(std::ssize(rows)),
          row_(device.template take<std::int32_t>(count_)),
          sample_(device.template take<std::int32_t>(count_ > 0 ? padded_rows_of(count_) : 0)) {
        if (rows.empty()) return;
        device.write(std::vector<std::int32_t>(rows.begin(), rows.end()), row_.data());
        const auto place = device.template take<std::int32_t>(n);
        device.each(n, InvertOrder{order, place.data()});
        device.each(padded_rows_of(count_), PlacesOfRows{row_.data(), place.data(), count_, sample_.data()});
    }

    std::int64_t count() const { return count_; }
    const std::int32_t* row() const { return row_.data(); }
    const std::int32_t* sample() const { return count_ > 0 ? sample_.data() : nullptr; }

  private:
    std::int64_t count_;
    typename Device::template Memory<std::int32_t> row_, sample_;
};

/// Rows of features in the forms that distances need.
template <class Device>
class FeatureRows {
  public:
    FeatureRows(Device& device, std::int64_t n, int chunks, bool direct)
        : n_(n),
          chunks_(chunks),
          direct_(direct),
          row_(device.template take<float>(padded() * chunks * chunk)),
          split_(device.template take<std::uint16_t>(direct ? 0 : padded() * chunks * split_halves)),
          shape_(device.template take<RowShape>(direct ? 0 : padded())) {}

    /// From rows of x[.,d] in the given order, with the means of its columns and the lengths of its rows.
    void fill(Device& device, const float* x, std::int64_t d, const std::int32_t* order, const double* mean,
              const double* length, double unit) {
        const auto square = device.template take<double>(padded() * chunks_);
        device.each(padded() * chunks_,
                    FillRows{x, order, mean, length, n_, d, padded(), chunks_, unit, row_.data(),
                             direct_ ? nullptr : split_.data(), square.data()});
        if (!direct_)
            device.each(padded(), RowShapes{square.data(), order, length, n_, chunks_, unit, shape_.data()});
    }

    Samples samples() const {
        return {n_, padded(), chunks_, direct_, row_.data(), split_.data(), shape_.data()};
    }

  private:
    std::int64_t padded() const { return n_ > 0 ? padded_rows_of(n_) : 0; }

    std::int64_t n_;
    int chunks_;
    bool direct_;
    typename Device::template Memory<float> row_;
    typename Device::template Memory<std::uint16_t> split_;
    typename Device::template Memory<RowShape> shape_;
};

/// The features, all divided by `unit`, a power of two that brings the length of the longest centred row
/// below 1. Squared distances then stay below 4 and cannot overflow.
template <class Device>
class Features {
  public:
    Features(Device& device, ConstTensor original, const ColumnScale& scale, const std::int32_t* order,
             const ListedRows<Device>& listed)
        : n_(original.rows()),
          d_(original.columns()),
          chunks_(static_cast<int>((d_ + chunk - 1) / chunk)),
          direct_(d_ <= 2 * chunk || n_ <= device.limits().direct_rows),
          all_(device, n_, chunks_, direct_),
          listed_(device, listed.count(), chunks_, direct_),
          sample_(listed.sample()) {
        const auto scaled = scaled_copy(device, original, scale);
        const float* const x = scale.given() ? scaled.data() : original.data;
        const auto mean = device.template take<double>(d_);
        const auto length = device.template take<double>(n_);
        column_means(device, x, n_, d_, mean.data());
        measure_lengths(device, x, mean.data(), length.data());
        const double longest = largest_magnitude(device, length.data(), n_);
        unit_ = power_of_two_above(longest);
        largest_distance_ = 1.001 * std::pow(2.0 * longest / unit_, 2.0);  // 1.001: allows for rounding
        all_.fill(device, x, d_, order, mean.data(), length.data(), unit_);
        if (listed.count() > 0) listed_.fill(device, x, d_, listed.row(), mean.data(), length.data(), unit_);
    }

    double unit() const { return unit_; }
    /// No squared distance is larger.
    double largest_distance() const { return largest_distance_; }
    Pairs pairs() const {
        return {all_.samples(), sample_ != nullptr ? listed_.samples() : all_.samples(), sample_};
    }

  private:
    /// Of the centred rows.
    void measure_lengths(Device& device, const float* x, const double* mean, double* length) const {
        const auto square = device.template take<double>(n_ * chunks_);
        device.each(n_ * chunks_, ChunkSquares{x, d_, chunks_, mean, square.data()});
        device.each(n_, Lengths{square.data(), chunks_, length});
    }

    std::int64_t n_, d_;
    int chunks_;
    bool direct_;
    FeatureRows<Device> all_, listed_;
    const std::int32_t* sample_;
    double unit_ = 1.0, largest_distance_ = 0.0;
};

}  // namespace deepfreq::cuda::spectrum
