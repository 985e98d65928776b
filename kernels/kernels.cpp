#include "kernels/kernels.h"

#include <algorithm>
#include <cmath>

#include "common/error.h"

namespace deepfreq {
namespace {

void expect(const char* operation, const char* name, const Shape& found, const Shape& expected) {
    if (found != expected)
        throw InputError("{}: {} has shape {}, expected {}", operation, name, found.text(), expected.text());
}

void expect_rank(const char* operation, const char* name, const Shape& found, int rank) {
    bool good = found.rank() == rank;
    for (int axis = 0; axis < found.rank(); ++axis) good = good && found[axis] > 0;
    if (!good)
        throw InputError("{}: {} has shape {}, expected {} extents, none of them 0 or less", operation, name,
                         found.text(), rank);
}

}  // namespace

Buffer::~Buffer() {
    if (owner_ != nullptr) owner_->do_release(data_);
}

void Kernels::check_sizes(const char* operation, std::size_t from, std::size_t to) {
    if (from != to) throw InputError("{}: {} bytes given, room for {} expected", operation, from, to);
}

Buffer Kernels::allocate(std::size_t bytes) {
    void* const data = do_allocate(bytes);
    if (data == nullptr)
        throw RunError("out of memory: {:.1f} MiB asked for, {:.1f} MiB free",
                       static_cast<double>(bytes) / 0x1p20, static_cast<double>(do_free_bytes()) / 0x1p20);
    return Buffer(*this, data, bytes);
}

Buffer Kernels::allocate_zeros(Shape shape) {
    Buffer buffer = allocate(static_cast<std::size_t>(shape.elements()) * sizeof(float));
    do_zero(buffer.data(), buffer.bytes());
    return buffer;
}

void Kernels::copy(ConstTensor from, Tensor to) {
    check_sizes("copy", bytes_of(from), bytes_of(to));
    do_copy(from.data, to.data, bytes_of(from));
}

void Kernels::dense_forward(ConstTensor x, ConstTensor w, ConstTensor b, Activation sigma, Tensor y) {
    expect_rank("dense_forward", "x", x.shape, 2);
    expect_rank("dense_forward", "w", w.shape, 2);
    expect("dense_forward", "w", w.shape, {w.shape[0], x.shape[1]});
    expect("dense_forward", "b", b.shape, {w.shape[0]});
    expect("dense_forward", "y", y.shape, {x.shape[0], w.shape[0]});
    do_dense_forward(x, w, b, sigma, y);
}

void Kernels::dense_backward(ConstTensor x, ConstTensor w, ConstTensor y, Activation sigma, Tensor dy,
                             Tensor dx, Tensor dw, Tensor db, GradMode mode) {
    expect_rank("dense_backward", "x", x.shape, 2);
    expect_rank("dense_backward", "w", w.shape, 2);
    expect("dense_backward", "w", w.shape, {w.shape[0], x.shape[1]});
    expect("dense_backward", "y", y.shape, {x.shape[0], w.shape[0]});
    expect("dense_backward", "dy", dy.shape, y.shape);
    if (dx) expect("dense_backward", "dx", dx.shape, x.shape);
    expect("dense_backward", "dw", dw.shape, w.shape);
    expect("dense_backward", "db", db.shape, {w.shape[0]});
    do_dense_backward(x, w, y, sigma, dy, dx, dw, db, mode);
}

void Kernels::mean_squared_error(ConstTensor p, ConstTensor t, Tensor dp, TensorView<double> sums,
                                 TensorView<const StepState> state) {
    expect_rank("mean_squared_error", "p", p.shape, 2);
    expect("mean_squared_error", "t", t.shape, p.shape);
    if (dp) expect("mean_squared_error", "dp", dp.shape, p.shape);
    expect_rank("mean_squared_error", "sums", sums.shape, 1);
    expect("mean_squared_error", "state", state.shape, {1});
    do_mean_squared_error(p, t, dp, sums, state);
}

void Kernels::softmax_cross_entropy(ConstTensor z, ConstTensor t, Tensor dz, TensorView<double> sums,
                                    TensorView<const StepState> state) {
    expect_rank("softmax_cross_entropy", "z", z.shape, 2);
    expect("softmax_cross_entropy", "t", t.shape, z.shape);
    if (dz) expect("softmax_cross_entropy", "dz", dz.shape, z.shape);
    expect_rank("softmax_cross_entropy", "sums", sums.shape, 1);
    expect("softmax_cross_entropy", "state", state.shape, {1});
    do_softmax_cross_entropy(z, t, dz, sums, state);
}

void Kernels::count_correct(ConstTensor p, TensorView<const std::int32_t> labels,
                            TensorView<std::int64_t> correct) {
    expect_rank("count_correct", "p", p.shape, 2);
    expect("count_correct", "labels", labels.shape, {p.shape[0]});
    expect("count_correct", "correct", correct.shape, {1});
    do_count_correct(p, labels, correct);
}

void Kernels::adam(Tensor w, ConstTensor dw, Tensor m, Tensor v, const AdamParams& params,
                   TensorView<const StepState> state) {
    expect_rank("adam", "w", w.shape, 1);
    expect("adam", "dw", dw.shape, w.shape);
    expect("adam", "m", m.shape, w.shape);
    expect("adam", "v", v.shape, w.shape);
    expect("adam", "state", state.shape, {1});
    do_adam(w, dw, m, v, params, state);
}

void Kernels::gather_rows(ConstTensor source, TensorView<const std::int32_t> permutation,
                          TensorView<const StepState> state, Tensor batch) {
    expect_rank("gather_rows", "source", source.shape, std::max(1, source.shape.rank()));
    expect("gather_rows", "permutation", permutation.shape, {source.shape[0]});
    expect("gather_rows", "state", state.shape, {1});
    if (batch.rows() > source.rows() || batch.columns() != source.columns())
        throw InputError("gather_rows: batch has shape {}, expected at most {} rows of {} elements",
                         batch.shape.text(), source.rows(), source.columns());
    do_gather_rows(source, permutation, state, batch);
}

void Kernels::random_permutation(TensorView<std::int32_t> permutation, std::uint64_t seed,
                                 std::uint32_t epoch) {
    expect_rank("random_permutation", "permutation", permutation.shape, 1);
    do_random_permutation(permutation, seed, epoch);
}

void Kernels::advance(TensorView<StepState> state, std::int64_t samples) {
    expect("advance", "state", state.shape, {1});
    do_advance(state, samples);
}

void Kernels::scale_columns_by_max_abs(Tensor x) {
    expect_rank("scale_columns_by_max_abs", "x", x.shape, 2);
    do_scale_columns_by_max_abs(x);
}

double Kernels::sum_of_squares(ConstTensor x) {
    return do_sum_of_squares(x);
}

std::optional<std::int64_t> Kernels::first_non_finite(ConstTensor x) {
    return do_first_non_finite(x);
}

std::vector<double> Kernels::gaussian_low_frequency_energy(ConstTensor x, ConstTensor y,
                                                           std::span<const double> inv_delta,
                                                           const LowFrequencyParams& params) {
    const char* const name = "gaussian_low_frequency_energy";
    expect_rank(name, "x", x.shape, 2);
    expect_rank(name, "y", y.shape, 2);
    expect(name, "y", y.shape, {x.shape[0], y.shape[1]});
    double previous = 0.0;
    for (const double width : inv_delta) {
        if (!std::isfinite(width) || width < previous)
            throw InputError("{}: 1/delta = {} after {}, expected finite, not negative and ascending", name,
                             width, previous);
        previous = width;
    }
    for (const auto& [tensor, label] : {std::pair{x, "features"}, std::pair{y, "targets"}}) {
        const std::int64_t columns = tensor.shape[1];
        if (const auto bad = first_non_finite(tensor); bad && columns > 0)
            throw InputError("{}: {} are not finite at row {}, column {}; finite numbers expected", name,
                             label, *bad / columns, *bad % columns);
    }
    return do_gaussian_low_frequency_energy(x, y, inv_delta, params);
}

}  // namespace deepfreq
