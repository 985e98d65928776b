#pragma once

#include "kernels/expect.h"
#include "kernels/types.h"

namespace deepfreq {

/// Adam (Kingma & Ba 2015); the learning rate is in StepState.
struct AdamParams {
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
};

/// One Adam update of all parameters. The learning rate and the number of earlier updates with these moments
/// are read from the state.
struct Adam {
    Tensor w;        ///< [size], overwritten
    ConstTensor dw;  ///< [size]
    Tensor m;        ///< [size], overwritten: the first moments
    Tensor v;        ///< [size], overwritten: the second moments
    AdamParams params = {};
    TensorView<const StepState> state;  ///< [1]

    void validate() const {
        const Expect expect("adam");
        expect.rank("w", w, 1);
        expect.shape("dw", dw, w.shape);
        expect.shape("m", m, w.shape);
        expect.shape("v", v, w.shape);
        expect.shape("state", state, {1});
    }
};

}  // namespace deepfreq
