#pragma once

#include <algorithm>

#include "kernels/expect.h"
#include "kernels/types.h"

namespace deepfreq {

/// y += x: where the two gradients of a residual block's input meet.
struct Add {
    ConstTensor x;
    Tensor y;  ///< as x, added to

    void validate() const {
        const Expect expect("add");
        expect.rank("x", x, std::max(1, x.shape.rank()));
        expect.shape("y", y, x.shape);
    }
};

/// Dropout (Srivastava et al. 2014): dropped elements become 0, the others are divided by 1 - rate.
struct DropoutParams {
    double rate = 0.5;  ///< probability of being dropped, in [0, 1); rounded to 1/65536
    std::uint64_t seed = 0;
    std::uint32_t stream = 0;  ///< tells the layers of a network apart
};

/// y = x mask / (1 - rate), where each element of the mask is 0 with probability `rate`, else 1. The mask is
/// drawn from (seed, stream, state->update, element), so the gradients of the same step see the same mask.
/// An element of x that is NaN or infinite stays so in y, dropped or not.
struct ApplyDropout {
    ConstTensor x;
    DropoutParams params = {};
    TensorView<const StepState> state;  ///< [1]
    Tensor y;                           ///< as x, overwritten; may be x

    void validate() const {
        const Expect expect("dropout");
        expect.rank("x", x, std::max(1, x.shape.rank()));
        expect.shape("y", y, x.shape);
        expect.shape("state", state, {1});
        if (!(params.rate >= 0.0 && params.rate < 1.0))
            throw InputError("dropout: rate {} given, expected 0 to less than 1", params.rate);
    }
};

}  // namespace deepfreq
