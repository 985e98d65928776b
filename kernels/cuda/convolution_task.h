#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/buffer.h"
#include "kernels/ops/conv2d.h"

namespace deepfreq::cuda {

/// Which of a convolution's three tensors is computed from the other two.
enum class ConvolutionKind { Forward, BackwardData, BackwardFilter };

/// What a convolution is asked to do. Equal tasks use the same plan, which is chosen once.
struct ConvolutionTask {
    ConvolutionKind kind = ConvolutionKind::Forward;
    std::array<std::int64_t, 4> x{}, w{}, y{};  ///< [n,h,w,in], [out,kh,kw,in], [n,h',w',out]
    std::int64_t stride = 1, padding = 0;
    bool add = false;  ///< add to the result instead of overwriting it

    // clang-tidy 14 sees a 0 in the code that the compiler generates here.
    auto operator<=>(const ConvolutionTask&) const = default;  // NOLINT(modernize-use-nullptr)

    /// Which of x, w and y is computed.
    std::size_t result() const {
        switch (kind) {
            case ConvolutionKind::Forward:
                return 2;
            case ConvolutionKind::BackwardData:
                return 0;
            default:
                return 1;
        }
    }
    /// Number of elements of x, w and y.
    std::array<std::int64_t, 3> sizes() const {
        const auto size = [](const auto& shape) { return shape[0] * shape[1] * shape[2] * shape[3]; };
        return {size(x), size(w), size(y)};
    }
};

/// One of the convolutions of Conv2dForward and Conv2dBackward (ops/conv2d.h), given the shapes of x, w and
/// y.
inline ConvolutionTask convolution_task(ConvolutionKind kind, const Shape& x, const Shape& w, const Shape& y,
                                        const Conv2dParams& params, GradMode mode = GradMode::Overwrite) {
    const auto extents = [](const Shape& shape) {
        return std::array{shape[0], shape[1], shape[2], shape[3]};
    };
    return {kind,
            extents(x),
            extents(w),
            extents(y),
            params.stride,
            params.padding,
            mode == GradMode::Accumulate};
}

}  // namespace deepfreq::cuda
