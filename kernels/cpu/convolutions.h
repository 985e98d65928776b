#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>

#include "kernels/buffer.h"
#include "kernels/ops/conv2d.h"

namespace deepfreq {

class Convolution;

/// oneDNN's convolutions. Each is created when its shapes are first seen, because that compiles machine code.
class Convolutions {
  public:
    explicit Convolutions(Precision precision);
    ~Convolutions();
    Convolutions(const Convolutions&) = delete;
    Convolutions& operator=(const Convolutions&) = delete;

    /// The convolution of images x[n,h,w,in] with filters w[out,kh,kw,in] to y. Throws RunError if oneDNN has
    /// none.
    Convolution& of(const Shape& x, const Shape& w, const Shape& y, const Conv2dParams& params);

  private:
    Precision precision_;
    using Key = std::array<std::int64_t, 9>;  // shape of x; out, kh, kw; stride and padding
    std::map<Key, std::unique_ptr<Convolution>> made_;
};

}  // namespace deepfreq
