#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>

#include "common/error.h"

namespace deepfreq {

class DeviceMemory;

/// The extents of a tensor, outermost first; at most four.
class Shape {
  public:
    static constexpr int max_rank = 4;

    Shape() = default;
    Shape(std::initializer_list<std::int64_t> extents) {
        if (extents.size() > max_rank)
            throw InputError("a shape has {} extents, at most 4 expected", extents.size());
        for (const std::int64_t extent : extents) extents_[static_cast<std::size_t>(rank_++)] = extent;
    }

    int rank() const { return rank_; }
    std::int64_t operator[](int axis) const { return extents_[static_cast<std::size_t>(axis)]; }

    /// Product of all extents; 1 for rank 0.
    std::int64_t elements() const {
        std::int64_t product = 1;
        for (int axis = 0; axis < rank_; ++axis) product *= (*this)[axis];
        return product;
    }

    /// [n, …]: n followed by these extents. Throws InputError if there are four already.
    Shape with_rows(std::int64_t n) const {
        if (rank_ == max_rank) throw InputError("rows of shape {}, at most 3 extents expected", text());
        Shape shape;
        shape.rank_ = rank_ + 1;
        shape.extents_[0] = n;
        std::copy_n(extents_.begin(), rank_, shape.extents_.begin() + 1);
        return shape;
    }
    /// The same with n rows.
    Shape first_rows(std::int64_t n) const {
        Shape shape = *this;
        shape.extents_[0] = n;
        return shape;
    }

    bool operator==(const Shape&) const = default;

    /// As in "[256, 500]".
    std::string text() const {
        std::string out = "[";
        for (int axis = 0; axis < rank_; ++axis) out += fmt::format("{}{}", axis ? ", " : "", (*this)[axis]);
        return out + "]";
    }

  private:
    std::array<std::int64_t, max_rank> extents_{};
    int rank_ = 0;
};

/// A non-owning view of device memory as a row-major, contiguous tensor. No strides are stored: no operation
/// of the engine reads another layout, and a view of whole rows is contiguous again.
/// A default-constructed view stands for an absent tensor.
template <class T>
struct TensorView {
    T* data = nullptr;
    Shape shape;

    TensorView() = default;
    TensorView(T* first, Shape extents) : data(first), shape(extents) {}
    /// A view of mutable memory converts to a read-only one.
    template <class U>
    requires(std::is_same_v<const U, T> && !std::is_const_v<U>) TensorView(const TensorView<U>& other)
        : data(other.data), shape(other.shape) {}

    explicit operator bool() const { return data != nullptr; }
    std::int64_t elements() const { return data ? shape.elements() : 0; }
    std::int64_t rows() const { return shape[0]; }
    /// Elements of one row: the product of all extents but the first.
    std::int64_t columns() const { return shape[0] == 0 ? 0 : shape.elements() / shape[0]; }

    /// Rows first … first+count-1, of the same width.
    TensorView slice(std::int64_t first, std::int64_t count) const {
        return {data + first * columns(), Shape{count, columns()}};
    }
    /// The same elements under another shape with the same number of elements.
    TensorView reshape(Shape extents) const { return {data, extents}; }
};

using Tensor = TensorView<float>;
using ConstTensor = TensorView<const float>;

/// Owns a piece of device memory; movable, not copyable. Made by DeviceMemory::allocate; must not outlive
/// the DeviceMemory.
class Buffer {
  public:
    Buffer() = default;
    Buffer(Buffer&& other) noexcept { swap(other); }
    Buffer& operator=(Buffer&& other) noexcept {
        Buffer(std::move(other)).swap(*this);
        return *this;
    }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer();

    std::size_t bytes() const { return bytes_; }
    void* data() const { return data_; }

    /// The bytes from `offset` on, viewed as a tensor. Throws InputError if it would not fit.
    template <class T>
    TensorView<T> view(Shape shape, std::size_t offset = 0) const {
        const std::size_t needed = offset + static_cast<std::size_t>(shape.elements()) * sizeof(T);
        if (needed > bytes_)
            throw InputError("a view of {} needs {} bytes, the buffer has {}", shape.text(), needed, bytes_);
        return {reinterpret_cast<T*>(static_cast<std::byte*>(data_) + offset), shape};
    }

  private:
    friend class DeviceMemory;
    Buffer(DeviceMemory& owner, void* data, std::size_t bytes) : owner_(&owner), data_(data), bytes_(bytes) {}
    void swap(Buffer& other) noexcept {
        std::swap(owner_, other.owner_);
        std::swap(data_, other.data_);
        std::swap(bytes_, other.bytes_);
    }

    DeviceMemory* owner_ = nullptr;
    void* data_ = nullptr;
    std::size_t bytes_ = 0;
};

}  // namespace deepfreq
