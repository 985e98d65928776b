#pragma once

#include "kernels/expect.h"
#include "kernels/types.h"

// Images are [n,h,w,c]; pooled images are [n,h/height,w/width,c].

namespace deepfreq {

/// The windows that tile an image: their stride equals their size.
struct PoolParams {
    std::int64_t height = 2;
    std::int64_t width = 2;

    /// The shape of x after pooling. Throws InputError if the windows do not tile x.
    template <class T>
    Shape output(const Expect& expect, const char* name, const TensorView<T>& x) const {
        expect.rank(name, x, 4);
        const Shape& shape = x.shape;
        if (height < 1 || width < 1 || shape[1] % height != 0 || shape[2] % width != 0)
            throw InputError("{}: {} has shape {}, expected an image that windows of {} x {} tile",
                             expect.operation(), name, shape.text(), height, width);
        return {shape[0], shape[1] / height, shape[2] / width, shape[3]};
    }
};

/// y = the mean of each window.
struct AveragePoolForward {
    ConstTensor x;  ///< [n,h,w,c]
    PoolParams params = {};
    Tensor y;  ///< pooled, overwritten

    void validate() const {
        const Expect expect("average_pool_forward");
        expect.shape("y", y, params.output(expect, "x", x));
    }
};

/// dx = dy / (height width) everywhere in the window.
struct AveragePoolBackward {
    ConstTensor dy;  ///< pooled
    PoolParams params = {};
    Tensor dx;  ///< [n,h,w,c], overwritten

    void validate() const {
        const Expect expect("average_pool_backward");
        expect.shape("dy", dy, params.output(expect, "dx", dx));
    }
};

/// y = the maximum of each window, or NaN if the window contains one.
struct MaxPoolForward {
    ConstTensor x;  ///< [n,h,w,c]
    PoolParams params = {};
    Tensor y;  ///< pooled, overwritten

    void validate() const {
        const Expect expect("max_pool_forward");
        expect.shape("y", y, params.output(expect, "x", x));
    }
};

/// From x and y of MaxPoolForward: dx = dy at the window's maximum (if tied, the first in row order), else 0.
struct MaxPoolBackward {
    ConstTensor x;   ///< [n,h,w,c]
    ConstTensor y;   ///< pooled
    ConstTensor dy;  ///< pooled
    PoolParams params = {};
    Tensor dx;  ///< as x, overwritten

    void validate() const {
        const Expect expect("max_pool_backward");
        expect.shape("y", y, params.output(expect, "x", x));
        expect.shape("dy", dy, y.shape);
        expect.shape("dx", dx, x.shape);
    }
};

}  // namespace deepfreq
