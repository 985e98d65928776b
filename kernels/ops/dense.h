#pragma once

#include "kernels/expect.h"
#include "kernels/types.h"

// The operations of a dense layer, each a struct of its arguments. All headers in this folder have the same
// form: the comment says what is computed, with the paper's equation, and which outputs are overwritten or
// added to; validate() throws InputError naming the shape found and the shape expected. A backend checks and
// runs an operation with `backend(DenseForward{.x = x, …})`.

namespace deepfreq {

/// y = activation(x w^T + b) (eq. 8).
struct DenseForward {
    ConstTensor x;  ///< [n,in]
    ConstTensor w;  ///< [out,in]
    ConstTensor b;  ///< [out]
    Activation activation = Activation::Identity;
    Tensor y;  ///< [n,out], overwritten

    void validate() const {
        const Expect expect("dense_forward");
        expect.rank("x", x, 2);
        expect.rank("w", w, 2);
        expect.shape("w", w, {w.shape[0], x.shape[1]});
        expect.shape("b", b, {w.shape[0]});
        expect.shape("y", y, {x.shape[0], w.shape[0]});
    }
};

/// Gradients of DenseForward, computed from its x, w and output y. With z = x w^T + b,
///   dz = dy activation'(z),  dx = dz w,  dw = dz^T x,  db = column sums of dz (in double).
struct DenseBackward {
    ConstTensor x;  ///< [n,in]
    ConstTensor w;  ///< [out,in]
    ConstTensor y;  ///< [n,out]
    Activation activation = Activation::Identity;
    Tensor dy;       ///< [n,out], overwritten by dz
    Tensor dx = {};  ///< [n,in], overwritten; may be absent
    Tensor dw;       ///< [out,in], overwritten or added to
    Tensor db;       ///< [out], overwritten or added to
    GradMode mode = GradMode::Overwrite;

    void validate() const {
        const Expect expect("dense_backward");
        expect.rank("x", x, 2);
        expect.rank("w", w, 2);
        expect.shape("w", w, {w.shape[0], x.shape[1]});
        expect.shape("y", y, {x.shape[0], w.shape[0]});
        expect.shape("dy", dy, y.shape);
        if (dx) expect.shape("dx", dx, x.shape);
        expect.shape("dw", dw, w.shape);
        expect.shape("db", db, {w.shape[0]});
    }
};

}  // namespace deepfreq
