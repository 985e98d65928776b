#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include "kernels/expect.h"

// What happens to features and targets before their spectrum is measured.

namespace deepfreq {

/// Subtracts each column's mean (computed in double, rounded to float32); a constant column becomes 0.
struct CentreColumns {
    Tensor x;  ///< [n,d], overwritten

    void validate() const { Expect("centre_columns").rank("x", x, 2); }
};

/// Divides each column by its largest magnitude, so that it lies in [-1, 1]; a zero column stays as it is.
struct ScaleColumnsByMaxAbs {
    Tensor x;  ///< [n,d], overwritten

    void validate() const { Expect("scale_columns_by_max_abs").rank("x", x, 2); }
};

/// Scales features per column without copying them: column k is measured as (x - offset[k]) factor[k],
/// computed in double and rounded to float32. If both are empty, the features are used as they are.
struct ColumnScale {
    std::span<const double> offset, factor;

    bool given() const { return !factor.empty(); }
    float scaled(std::size_t k, float x) const {
        return static_cast<float>((static_cast<double>(x) - offset[k]) * factor[k]);
    }
    /// Scales one row of the features into `to`.
    void apply(const float* row, float* to) const {
        for (std::size_t k = 0; k < factor.size(); ++k) to[k] = scaled(k, row[k]);
    }
    /// Throws InputError if a scale is given that does not match the columns of x[n,d].
    void validate(const Expect& expect, const ConstTensor& x) const {
        if (!given()) return;
        expect.rank("x", x, 2);
        for (const std::size_t size : {offset.size(), factor.size()})
            if (std::cmp_not_equal(size, x.shape[1]))
                throw InputError(
                    "{}: the scale has {} offsets and {} factors, expected one of each for {} columns",
                    expect.operation(), offset.size(), factor.size(), x.shape[1]);
    }
};

/// Sum of x^2 over all elements, in double; with a scale, of x[n,d] scaled per column.
struct SumOfSquares {
    using Result = double;

    ConstTensor x;
    ColumnScale scale = {};

    void validate() const { scale.validate(Expect("sum_of_squares"), x); }
};

/// Index of the first element that is NaN or infinite, if any.
struct FirstNonFinite {
    using Result = std::optional<std::int64_t>;

    ConstTensor x;

    void validate() const {}
};

}  // namespace deepfreq
