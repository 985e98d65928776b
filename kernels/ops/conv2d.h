#pragma once

#include "kernels/expect.h"
#include "kernels/types.h"

// Images are [n,h,w,c]: the channels of a pixel are contiguous. Filters are [out,kh,kw,in].

namespace deepfreq {

/// How filters move over an image, the same in both directions.
struct Conv2dParams {
    std::int64_t stride = 1;
    std::int64_t padding = 0;  ///< rows and columns of zeros around the image

    /// The shape of y. Throws InputError if x and w do not allow one.
    Shape output(const Expect& expect, const ConstTensor& x, const ConstTensor& w) const {
        expect.rank("x", x, 4);
        expect.rank("w", w, 4);
        expect.shape("w", w, {w.shape[0], w.shape[1], w.shape[2], x.shape[3]});
        if (stride < 1 || padding < 0)
            throw InputError("{}: stride {} and padding {} given, expected at least 1 and 0",
                             expect.operation(), stride, padding);
        const std::int64_t height = x.shape[1] + 2 * padding;
        const std::int64_t width = x.shape[2] + 2 * padding;
        if (w.shape[1] > height || w.shape[2] > width)
            throw InputError("{}: w has shape {}, expected filters no larger than the padded image, {} x {}",
                             expect.operation(), w.shape.text(), height, width);
        if (padding >= w.shape[1] || padding >= w.shape[2])
            throw InputError("{}: padding {} given, expected less than the filters' {} x {}",
                             expect.operation(), padding, w.shape[1], w.shape[2]);
        return {x.shape[0], (height - w.shape[1]) / stride + 1, (width - w.shape[2]) / stride + 1,
                w.shape[0]};
    }
};

/// y = x convolved with w, where x is 0 outside the image:
///   y[i,r,s,o] = sum_{a,b,c} x[i, r stride + a - padding, s stride + b - padding, c] w[o,a,b,c].
/// There is no bias: the batch normalisation that follows would subtract it again. A backend may compute
/// tiles of pixels at once (Winograd); a NaN then spreads over all tiles that read it, but never to another
/// image.
struct Conv2dForward {
    ConstTensor x;  ///< [n,h,w,in]
    ConstTensor w;  ///< [out,kh,kw,in]
    Conv2dParams params = {};
    Tensor y;  ///< [n,h',w',out], overwritten; h' = floor((h + 2 padding - kh) / stride) + 1, w' likewise

    void validate() const {
        const Expect expect("conv2d_forward");
        expect.shape("y", y, params.output(expect, x, w));
    }
};

/// Gradients of Conv2dForward.
struct Conv2dBackward {
    ConstTensor x;   ///< [n,h,w,in]
    ConstTensor w;   ///< [out,kh,kw,in]
    ConstTensor dy;  ///< [n,h',w',out]
    Conv2dParams params = {};
    Tensor dx = {};  ///< as x, overwritten; may be absent
    Tensor dw;       ///< as w, overwritten or added to
    GradMode mode = GradMode::Overwrite;

    void validate() const {
        const Expect expect("conv2d_backward");
        expect.shape("dy", dy, params.output(expect, x, w));
        if (dx) expect.shape("dx", dx, x.shape);
        expect.shape("dw", dw, w.shape);
    }
};

}  // namespace deepfreq
