#pragma once

#include <cstdint>

#include "kernels/cpu/convolutions.h"

namespace deepfreq {

/// 3×3 convolutions of stride 1 and padding 1 by Winograd's algorithm F(4×4, 3×3): Lavin and Gray 2016,
/// arXiv:1509.09308. Images are cut into tiles of 4×4 pixels. A tile with its border (6×6 pixels) and a filter
/// are both transformed to 6×6 elements. There a convolution multiplies element by element, and its sums over
/// channels are 36 matrix products: a quarter of the multiplications.
///
/// Rounding: a transform adds up to 25 elements, with factors of up to 11.4 (3.375 in each dimension). The
/// error is a few times that of a sum of products in float32; oracle/cases.h bounds both alike. A NaN spreads
/// over all tiles that read it: up to four.
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
    /// Floats for a rounded copy of so many; none in float32.
    std::int64_t room_for_copy(std::int64_t count) const { return rounds_ ? count : 0; }
    /// `data`, or its rounded copy in `room`, which then begins after it.
    const float* rounded_factor(const float* data, std::int64_t count, float*& room) const;

    /// y = x convolved with w, or `back` from dy to dx: with the filters rotated, from out to in.
    void convolve(const float* x, const float* w, float* y, bool back, Workspace& workspace) const;

    bool rounds_;
    std::int64_t images_, height_, width_, in_, out_;
};

}  // namespace deepfreq
