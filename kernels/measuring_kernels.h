#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "kernels/buffer.h"
#include "kernels/params.h"

namespace deepfreq {

/// What a device can do of measuring: memory, and what spectra are made of. Without the operations of
/// networks it needs none of the libraries that they stand on (oneDNN, cuBLAS, cuDNN), so that it can be part
/// of a program that has networks of its own.
///
/// Checks and conventions are those of Kernels, which adds the rest.
class MeasuringKernels {
  public:
    MeasuringKernels() = default;
    MeasuringKernels(const MeasuringKernels&) = delete;
    MeasuringKernels& operator=(const MeasuringKernels&) = delete;
    virtual ~MeasuringKernels() = default;

    /// Device and libraries in one line, for the log and the manifest.
    virtual std::string description() const = 0;

    /// @name Memory
    /// @{

    /// Uninitialised device memory. Throws OutOfMemory if there is none.
    Buffer allocate(std::size_t bytes);

    /// Bytes that could still be allocated.
    std::size_t free_bytes() const { return do_free_bytes(); }

    /// Memory for a tensor of float, all zero.
    Buffer allocate_zeros(Shape shape);

    /// Copies host memory to the device; sizes must agree.
    template <class T>
    void upload(std::span<const T> host, TensorView<std::type_identity_t<T>> device) {
        check_sizes("upload", host.size_bytes(), bytes_of(device));
        do_upload(host.data(), device.data, host.size_bytes());
    }

    /// Waits for the device and copies its memory to the host; sizes must agree.
    template <class T>
    void download(TensorView<const std::type_identity_t<T>> device, std::span<T> host) {
        check_sizes("download", bytes_of(device), host.size_bytes());
        do_download(device.data, host.data(), host.size_bytes());
    }

    /// `to` becomes a copy of `from`; as many elements each.
    void copy(ConstTensor from, Tensor to);

    /// Sets every byte to 0.
    template <class T>
    void zero(TensorView<T> x) {
        do_zero(x.data, bytes_of(x));
    }

    /// Returns when everything queued so far is done.
    virtual void synchronize() = 0;
    /// @}

    /// @name Measuring
    /// @{

    /// Subtracts from every column its mean (in double, rounded to float32): a constant column becomes 0.
    void centre_columns(Tensor x);

    /// Divides every column by its largest magnitude, so that it lies in [-1, 1]; a column of zeros stays.
    void scale_columns_by_max_abs(Tensor x);

    /// Sum of x^2 over all elements, in double; with a scale, of x[n,d] scaled by column.
    double sum_of_squares(ConstTensor x, const ColumnScale& scale = {});

    /// Index of the first element that is NaN or infinite, if any.
    std::optional<std::int64_t> first_non_finite(ConstTensor x);

    /// Energy of the low-frequency part for a whole grid of filter widths: for every k,
    ///   energy[k] = sum_i |y_low_i|^2,  y_low_i = sum_j y_j G_ij / sum_j G_ij,
    ///   G_ij = exp(-|x_i - x_j|^2 inv_delta[k] / 2)                                        (eqs. 3 to 5).
    /// x[n,d] features, y[n,c] targets, both finite; inv_delta[K] >= 0 and finite, ascending. All widths
    /// share one pass over the pairs, whose sums are made at a few dozen nodes where there are many
    /// (kernels/filter_nodes.h); no n x n matrix is stored. |energy / sum_i |y_i|^2 - exact| <= 1e-5, for up
    /// to 10^5 columns. With params.scale, x_i are the rows scaled by column.
    /// Columns of x are centred in a copy first. With exclude_self, weights are taken over the largest of
    /// their row, which leaves the ratio as it is, so that none that counts underflows at any width; a row
    /// without another adds nothing.
    std::vector<double> gaussian_low_frequency_energy(ConstTensor x, ConstTensor y,
                                                      std::span<const double> inv_delta,
                                                      const LowFrequencyParams& params = {});

    /// The terms of that sum for some rows i = rows[r], each of 0 … n-1, in any order:
    ///   energy[r * K + k] = |y_low_i|^2 at width k.
    /// What a row gets does not depend, in any bit, on which others are listed, on their order or on how many
    /// threads there are. So rows can be sampled, or measured a part at a time, here or on another machine of
    /// the same kind. A row costs about twice its share of all of them, whose pairs serve both samples.
    std::vector<double> gaussian_low_frequency_row_energies(ConstTensor x, ConstTensor y,
                                                            std::span<const double> inv_delta,
                                                            std::span<const std::int64_t> rows,
                                                            const LowFrequencyParams& params = {});
    /// @}

  private:
    friend class Buffer;

    template <class T>
    static std::size_t bytes_of(const TensorView<T>& x) {
        return static_cast<std::size_t>(x.elements()) * sizeof(T);
    }
    static void check_sizes(const char* operation, std::size_t from, std::size_t to);

    /// Returns nullptr when there is not enough memory.
    virtual void* do_allocate(std::size_t bytes) = 0;
    virtual void do_release(void* data) noexcept = 0;
    /// Bytes that could still be allocated, for the message when there are too few.
    virtual std::size_t do_free_bytes() const = 0;
    virtual void do_upload(const void* host, void* device, std::size_t bytes) = 0;
    virtual void do_download(const void* device, void* host, std::size_t bytes) = 0;
    virtual void do_copy(const void* from, void* to, std::size_t bytes) = 0;
    virtual void do_zero(void* data, std::size_t bytes) = 0;

    virtual void do_centre_columns(Tensor x) = 0;
    virtual void do_scale_columns_by_max_abs(Tensor x) = 0;
    virtual double do_sum_of_squares(ConstTensor x, const ColumnScale& scale) = 0;
    virtual std::optional<std::int64_t> do_first_non_finite(ConstTensor x) = 0;
    virtual std::vector<double> do_gaussian_low_frequency_energy(ConstTensor x, ConstTensor y,
                                                                 std::span<const double> inv_delta,
                                                                 const LowFrequencyParams& params) = 0;
    virtual std::vector<double> do_gaussian_low_frequency_row_energies(ConstTensor x, ConstTensor y,
                                                                       std::span<const double> inv_delta,
                                                                       std::span<const std::int64_t> rows,
                                                                       const LowFrequencyParams& params) = 0;
    void expect_samples(const char* operation, ConstTensor x, ConstTensor y,
                        std::span<const double> inv_delta, const ColumnScale& scale);
};

}  // namespace deepfreq
