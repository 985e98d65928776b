#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/buffer.h"
#include "kernels/ops/adam.h"
#include "kernels/ops/elementwise.h"
#include "kernels/ops/gather.h"
#include "kernels/types.h"

// The oracle: every operation of kernels/ops/ implemented again as naive loops in double that share no code
// with any backend.

namespace deepfreq::reference {

using Values = std::vector<double>;

/// What an operation must return, and how far a float32 result may be from it.
///
/// One rule for all operations and backends. A float32 sum of k terms makes k roundings, each of at most half
/// an eps = 2^-23 of a partial sum, and they go up as often as down; so its error stays below (4 + sqrt(k)) *
/// eps * (sum of |terms|), where the 4 covers the few roundings within a term and after the sum (libraries
/// promise exp and tanh to 4 units in the last place). Sums that the contract requires in double count as k =
/// 0. A function of a sum multiplies the sum's error by its slope. Numbers below the smallest normal float
/// may be flushed to 0.
struct Estimate {
    Values value;
    Values error;
};

/// By that rule: the error of a float32 sum of `terms` terms whose magnitudes sum to `magnitude`.
double rounding(double magnitude, std::int64_t terms);

/// The same for a sum of products, each of whose two factors may have been rounded or truncated to the bits
/// that `precision` keeps: a relative error of 2^-10 in tf32, of 2^-7 in bf16.
double product_rounding(double magnitude, std::int64_t terms, Precision precision);

/// activation(z).
double activate(Activation activation, double z);

/// activation'(z), from y = activation(z); the slope of ReLU at 0 is 0.
double activation_slope(Activation activation, double y);

/// |d activation'(z) / d activation(z)|, from y = activation(z).
double activation_slope_change(Activation activation, double y);

/// Whether float32 rounds the activation and its slope; it does not for Identity and ReLU.
bool is_rounded(Activation activation);

/// How far float32's activation may be from activation(z) when its z is within `error` of z.
double activation_error(Activation activation, double z, double error);

/// Extents of a dense layer: x[n,in], w[out,in], b[out], y[n,out].
struct DenseShape {
    std::int64_t n, in, out;
};

/// y = activation(x w^T + b).
Estimate dense_forward(const Values& x, const Values& w, const Values& b, Activation activation,
                       DenseShape shape, Precision precision = Precision::Float32);

struct DenseGradients {
    Estimate dz, dx, dw, db;
};

/// dz = dy activation'(z), dx = dz w, dw = dz^T x, db = column sums of dz.
DenseGradients dense_backward(const Values& x, const Values& w, const Values& y, Activation activation,
                              const Values& dy, DenseShape shape, Precision precision = Precision::Float32);

/// n times the mean loss, and the gradient of the mean loss.
struct Loss {
    Estimate sum;
    Estimate gradient;
};

/// Mean of (p - t)^2 over n*c elements.
Loss mean_squared_error(const Values& p, const Values& t, std::int64_t n, std::int64_t c);

/// -sum_c t log softmax(z)_c, averaged over n rows.
Loss softmax_cross_entropy(const Values& z, const Values& t, std::int64_t n, std::int64_t c);

/// Softmax of each row.
Estimate softmax(const Values& z, std::int64_t n, std::int64_t c);

/// x / (1 - rate), or 0 where 16 bits of the draw are below rate; one draw of (seed, stream,
/// update) serves 8 elements.
Estimate dropout(const Values& x, const DropoutParams& params, std::int64_t update);

/// Each column minus its mean.
Estimate centre_columns(const Values& x, std::int64_t n, std::int64_t c);

/// Number of rows whose largest element (the first of equal ones) is at labels[row].
std::int64_t count_correct(const Values& p, const std::vector<std::int32_t>& labels, std::int64_t c);

struct AdamResult {
    Estimate w, m, v;
};

/// Update number state.update + 1 of Kingma & Ba's algorithm 1.
AdamResult adam(const Values& w, const Values& dw, const Values& m, const Values& v, const AdamParams& params,
                const StepState& state);

/// Rows permutation[first] … permutation[first + count - 1] of source.
Values gather_rows(const Values& source, std::int64_t columns, const std::vector<std::int32_t>& permutation,
                   std::int64_t first, std::int64_t count);

/// Rows first … of the permutation, as images [h,w,c]: each is padded with `crop` pixels of zeros, and a
/// window of h x w is cut out and possibly mirrored; by Philox words of (seed, Augmentation, stream = row) at
/// index `update`.
Values gather_augmented_images(const Values& source, const Shape& image,
                               const std::vector<std::int32_t>& permutation, const StepState& state,
                               std::int64_t count, const AugmentParams& params);

/// 0 … n-1 sorted by the Philox words of (seed, Batches, epoch).
std::vector<std::int32_t> random_permutation(std::int64_t n, std::uint64_t seed, std::uint32_t epoch);

/// Columns of x[n,c] divided by their largest magnitude.
Estimate scale_columns_by_max_abs(const Values& x, std::int64_t n, std::int64_t c);

/// Sum of x^2; in double on both sides, so its error is measured in the eps of double.
Estimate sum_of_squares(const Values& x);

std::optional<std::int64_t> first_non_finite(const Values& x);

/// The estimate added to what was there before.
Estimate accumulated(Estimate estimate, const Values& before);

/// Values that must be exact.
Estimate exactly(Values values);

}  // namespace deepfreq::reference
