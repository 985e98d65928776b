#pragma once

#include "kernels/expect.h"

namespace deepfreq {

/// sums[k] += sum of x[i]^2 over bounds[k] <= i < bounds[k+1], in double: with the gradients of a network and
/// where its layers begin, the squared norm of every layer's gradient.
struct AddSquaredNorms {
    ConstTensor x;                          ///< [size]
    TensorView<const std::int64_t> bounds;  ///< [K+1], ascending within 0 … size
    TensorView<double> sums;                ///< [K], added to

    void validate() const {
        const Expect expect("add_squared_norms");
        expect.rank("x", x, 1);
        expect.rank("sums", sums, 1);
        expect.shape("bounds", bounds, {sums.shape[0] + 1});
    }
};

}  // namespace deepfreq
