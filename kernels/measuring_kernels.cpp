#include "kernels/measuring_kernels.h"

#include <cmath>
#include <utility>

#include "common/error.h"
#include "kernels/expect.h"

namespace deepfreq {
namespace {

void expect_scale(const char* operation, ConstTensor x, const ColumnScale& scale) {
    expect_rank(operation, "x", x.shape, 2);
    for (const std::size_t given : {scale.offset.size(), scale.factor.size()})
        if (std::cmp_not_equal(given, x.shape[1]))
            throw InputError(
                "{}: the scale has {} offsets and {} factors, expected one of each for {} columns", operation,
                scale.offset.size(), scale.factor.size(), x.shape[1]);
}

}  // namespace

Buffer::~Buffer() {
    if (owner_ != nullptr) owner_->do_release(data_);
}

void MeasuringKernels::check_sizes(const char* operation, std::size_t from, std::size_t to) {
    if (from != to) throw InputError("{}: {} bytes given, room for {} expected", operation, from, to);
}

Buffer MeasuringKernels::allocate(std::size_t bytes) {
    void* const data = do_allocate(bytes);
    if (data == nullptr)
        throw OutOfMemory("{}: {:.1f} MiB asked for, {:.1f} MiB free", description(),
                          static_cast<double>(bytes) / 0x1p20, static_cast<double>(do_free_bytes()) / 0x1p20);
    return Buffer(*this, data, bytes);
}

Buffer MeasuringKernels::allocate_zeros(Shape shape) {
    Buffer buffer = allocate(static_cast<std::size_t>(shape.elements()) * sizeof(float));
    do_zero(buffer.data(), buffer.bytes());
    return buffer;
}

void MeasuringKernels::copy(ConstTensor from, Tensor to) {
    check_sizes("copy", bytes_of(from), bytes_of(to));
    do_copy(from.data, to.data, bytes_of(from));
}

void MeasuringKernels::centre_columns(Tensor x) {
    expect_rank("centre_columns", "x", x.shape, 2);
    do_centre_columns(x);
}

void MeasuringKernels::scale_columns_by_max_abs(Tensor x) {
    expect_rank("scale_columns_by_max_abs", "x", x.shape, 2);
    do_scale_columns_by_max_abs(x);
}

double MeasuringKernels::sum_of_squares(ConstTensor x, const ColumnScale& scale) {
    if (scale.given()) expect_scale("sum_of_squares", x, scale);
    return do_sum_of_squares(x, scale);
}

std::optional<std::int64_t> MeasuringKernels::first_non_finite(ConstTensor x) {
    return do_first_non_finite(x);
}

/// What both measurements ask of their samples and widths.
void MeasuringKernels::expect_samples(const char* operation, ConstTensor x, ConstTensor y,
                                      std::span<const double> inv_delta, const ColumnScale& scale) {
    expect_rank(operation, "x", x.shape, 2);
    expect_rank(operation, "y", y.shape, 2);
    expect(operation, "y", y.shape, {x.shape[0], y.shape[1]});
    if (scale.given()) expect_scale(operation, x, scale);
    double previous = 0.0;
    for (const double width : inv_delta) {
        if (!std::isfinite(width) || width < previous)
            throw InputError("{}: 1/delta = {} after {}, expected finite, not negative and ascending",
                             operation, width, previous);
        previous = width;
    }
    for (const auto& [tensor, label] : {std::pair{x, "features"}, std::pair{y, "targets"}}) {
        const std::int64_t columns = tensor.shape[1];
        if (const auto bad = first_non_finite(tensor); bad && columns > 0)
            throw InputError("{}: {} are not finite at row {}, column {}; finite numbers expected", operation,
                             label, *bad / columns, *bad % columns);
    }
}

std::vector<double> MeasuringKernels::gaussian_low_frequency_energy(ConstTensor x, ConstTensor y,
                                                                    std::span<const double> inv_delta,
                                                                    const LowFrequencyParams& params) {
    expect_samples("gaussian_low_frequency_energy", x, y, inv_delta, params.scale);
    std::vector<double> energy = do_gaussian_low_frequency_energy(x, y, inv_delta, params);
    if (params.progress) params.progress(1.0);
    return energy;
}

std::vector<double> MeasuringKernels::gaussian_low_frequency_row_energies(ConstTensor x, ConstTensor y,
                                                                          std::span<const double> inv_delta,
                                                                          std::span<const std::int64_t> rows,
                                                                          const LowFrequencyParams& params) {
    const char* const name = "gaussian_low_frequency_row_energies";
    expect_samples(name, x, y, inv_delta, params.scale);
    for (const std::int64_t row : rows)
        if (row < 0 || row >= x.rows())
            throw InputError("{}: row {} listed, expected 0 to {}", name, row, x.rows() - 1);
    std::vector<double> energy(rows.size() * inv_delta.size(), 0.0);
    if (!energy.empty()) energy = do_gaussian_low_frequency_row_energies(x, y, inv_delta, rows, params);
    if (params.progress) params.progress(1.0);
    return energy;
}

}  // namespace deepfreq
