#pragma once

#include "kernels/cpu/convolutions.h"

namespace deepfreq {

/// 3×3 convolutions of stride 1 and padding 1 by Winograd's algorithm F(4×4, 3×3): Lavin and Gray 2016,
/// arXiv:1509.09308. Images are cut into tiles of 4×4 pixels. A tile with its border (6×6 pixels) and a filter
/// are both transformed to 6×6 elements. There a convolution multiplies element by element, and its sums over
/// channels are 36 matrix products: a quarter of the multiplications.
///
/// Rounding: a transform adds up to 36 pixels with factors of up to 5. The error is a few times that of a sum
/// of products in float32; the table of cases bounds both alike. A NaN spreads over its tile.
class Winograd final : public Convolution {
  public:
    /// Whether it is worth it: enough channels and pixels, and whole vectors of channels. Not for code that was
    /// compiled for processors without AVX.
    static bool serves(const Shape& x, const Shape& w, const Conv2dParams& params);

    /// For images x[n,h,w,in] and filters w[out,3,3,in]. In bfloat16, factors are rounded first.
    Winograd(Precision precision, const Shape& x, const Shape& w);

    void forward(const float* x, const float* w, float* y, Workspace& workspace) override;
    void backward_data(const float* w, const float* dy, float* dx, Workspace& workspace) override;
    void backward_weights(const float* x, const float* dy, float* dw, Workspace& workspace) override;

  private:
    std::int64_t rounded(std::int64_t count) const { return rounds_ ? count : 0; }
    const float* factor(const float* data, std::int64_t count, float*& room) const;

    bool rounds_;
    std::int64_t images_, height_, width_, in_, out_;
};

}  // namespace deepfreq
