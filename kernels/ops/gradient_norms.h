#pragma once

#include "kernels/expect.h"

namespace deepfreq {

/// sums[k] += sum of x[i]^2 over bounds[k] <= i < bounds[k+1], in double. With a network's gradients as x and
/// its layer boundaries as bounds, this gives the squared gradient norm per layer.
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
