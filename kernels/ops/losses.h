#pragma once

#include "kernels/expect.h"
#include "kernels/types.h"

// A loss is a mean over the batch, and its gradient is the gradient of that mean. What is added to
// sums[state->step], in double, is n times the mean, so that the loss of an epoch is the sum over n.

namespace deepfreq {

/// Mean over all n c elements of (p - t)^2; the gradient is 2 (p - t) / (n c).
struct MeanSquaredError {
    ConstTensor p;                      ///< [n,c], predictions
    ConstTensor t;                      ///< [n,c], targets
    Tensor dp = {};                     ///< [n,c], overwritten; may be absent
    TensorView<double> sums;            ///< one per step of the epoch; sum (p - t)^2 / c is added
    TensorView<const StepState> state;  ///< [1]

    void validate() const {
        const Expect expect("mean_squared_error");
        expect.rank("p", p, 2);
        expect.shape("t", t, p.shape);
        if (dp) expect.shape("dp", dp, p.shape);
        expect.rank("sums", sums, 1);
        expect.shape("state", state, {1});
    }
};

/// -sum_c t log softmax(z)_c, averaged over the n rows; the gradient is (softmax(z) - t) / n.
struct SoftmaxCrossEntropy {
    ConstTensor z;                      ///< [n,c], logits
    ConstTensor t;                      ///< [n,c], targets; each row sums to 1
    Tensor dz = {};                     ///< [n,c], overwritten; may be absent
    TensorView<double> sums;            ///< one per step of the epoch; n times the mean is added
    TensorView<const StepState> state;  ///< [1]

    void validate() const {
        const Expect expect("softmax_cross_entropy");
        expect.rank("z", z, 2);
        expect.shape("t", t, z.shape);
        if (dz) expect.shape("dz", dz, z.shape);
        expect.rank("sums", sums, 1);
        expect.shape("state", state, {1});
    }
};

/// p = softmax of each row of z: the prediction of a network trained with SoftmaxCrossEntropy.
struct Softmax {
    ConstTensor z;  ///< [n,c]
    Tensor p;       ///< [n,c], overwritten; may be z

    void validate() const {
        const Expect expect("softmax");
        expect.rank("z", z, 2);
        expect.shape("p", p, z.shape);
    }
};

/// Counts the rows whose largest element (the first one, if tied) is at labels[row].
struct CountCorrect {
    ConstTensor p;                          ///< [n,c]
    TensorView<const std::int32_t> labels;  ///< [n]
    TensorView<std::int64_t> correct;       ///< [1], added to

    void validate() const {
        const Expect expect("count_correct");
        expect.rank("p", p, 2);
        expect.shape("labels", labels, {p.shape[0]});
        expect.shape("correct", correct, {1});
    }
};

}  // namespace deepfreq
