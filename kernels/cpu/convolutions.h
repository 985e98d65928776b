#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>

#include "kernels/buffer.h"
#include "kernels/cpu/workspace.h"
#include "kernels/ops/conv2d.h"
#include "kernels/types.h"

namespace deepfreq {

/// A convolution of fixed shapes. All results are overwritten.
class Convolution {
  public:
    virtual ~Convolution() = default;
    virtual void forward(const float* x, const float* w, float* y, Workspace& workspace) = 0;
    virtual void backward_data(const float* w, const float* dy, float* dx, Workspace& workspace) = 0;
    virtual void backward_weights(const float* x, const float* dy, float* dw, Workspace& workspace) = 0;
};

/// Convolutions by oneDNN or Winograd's algorithm (winograd.h). Each is created when its shapes are first
/// seen, because oneDNN then compiles machine code.
class Convolutions {
  public:
    explicit Convolutions(Precision precision) : precision_(precision) {}

    /// The convolution of images x[n,h,w,in] with filters w[out,kh,kw,in] to y. Throws RunError if oneDNN has
    /// none.
    Convolution& of(const Shape& x, const Shape& w, const Shape& y, const Conv2dParams& params);

  private:
    Precision precision_;
    using Key = std::array<std::int64_t, 9>;  // shape of x; out, kh, kw; stride and padding
    std::map<Key, std::unique_ptr<Convolution>> made_;
};

}  // namespace deepfreq
