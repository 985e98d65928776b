#pragma once

#include "common/error.h"
#include "kernels/buffer.h"

namespace deepfreq {

/// The checks that operations (ops/) make on their tensors. Throws InputError naming the operation, the
/// tensor, the shape found and the shape expected.
class Expect {
  public:
    explicit Expect(const char* operation) : operation_(operation) {}

    const char* operation() const { return operation_; }

    template <class T>
    void shape(const char* name, const TensorView<T>& found, const Shape& expected) const {
        if (found.shape != expected)
            throw InputError("{}: {} has shape {}, expected {}", operation_, name, found.shape.text(),
                             expected.text());
    }

    /// Expects `rank` extents, each at least 1.
    template <class T>
    void rank(const char* name, const TensorView<T>& found, int rank) const {
        bool good = found.shape.rank() == rank;
        for (int axis = 0; axis < found.shape.rank(); ++axis) good = good && found.shape[axis] > 0;
        if (!good)
            throw InputError("{}: {} has shape {}, expected {} extents, none of them 0 or less", operation_,
                             name, found.shape.text(), rank);
    }

  private:
    const char* operation_;
};

}  // namespace deepfreq
