#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/backend.h"

namespace deepfreq::oracle {

/// What an operation left in one of its outputs.
struct Output {
    std::string name;
    std::vector<double> values;
    std::vector<std::byte> bytes;
};

/// What a call left behind: its outputs, and a sentence for each thing it did to memory that it was not
/// allowed to write.
struct Outcome {
    std::vector<Output> outputs;
    std::vector<std::string> complaints;
};

/// The device memory of one call. Every tensor lies between two guard bands; bands and outputs to be
/// overwritten are filled with NaN, so that anything read past an end, or never written, shows in the result.
class Stage {
  public:
    explicit Stage(Backend& backend, bool misaligned = false)
        : backend_(backend), band_elements_(misaligned ? 61 : 64) {}

    /// A tensor the operation must leave unchanged.
    template <class T>
    TensorView<const T> input(Shape shape, const std::vector<T>& values) {
        return place("", shape, values.data());
    }
    /// A tensor the operation overwrites.
    template <class T = float>
    TensorView<T> overwritten(const std::string& name, Shape shape) {
        return place<T>(name, shape, nullptr);
    }
    /// A tensor the operation updates, reading its previous content.
    template <class T>
    TensorView<T> changed(const std::string& name, Shape shape, const std::vector<T>& values) {
        return place(name, shape, values.data());
    }
    /// A value the operation returned to the host.
    void returned(const std::string& name, std::vector<double> values);

    /// Waits for the call; complains about inputs and guard bands that have changed.
    Outcome finish();

  private:
    struct Block {
        std::string name;  // empty for an input
        Buffer memory;
        std::vector<std::byte> before;
        std::size_t band, size;  // bytes of a guard band and of the tensor
        std::function<std::vector<double>(const std::byte*)> to_double;
    };

    template <class T>
    TensorView<T> place(const std::string& name, Shape shape, const T* values) {
        const auto count = static_cast<std::size_t>(shape.elements());
        const std::size_t band = band_elements_ * sizeof(T);
        const auto to_double = [count](const std::byte* bytes) {
            std::vector<T> found(count);
            std::memcpy(found.data(), bytes, count * sizeof(T));
            if constexpr (std::is_arithmetic_v<T>)
                return std::vector<double>(found.begin(), found.end());
            else
                return std::vector<double>();
        };
        void* const first = place_bytes(name, band, count * sizeof(T), values, to_double);
        return {static_cast<T*>(first), shape};
    }
    void* place_bytes(const std::string& name, std::size_t band, std::size_t size, const void* values,
                      std::function<std::vector<double>(const std::byte*)> to_double);

    Backend& backend_;
    std::size_t band_elements_;
    std::vector<Block> blocks_;
    std::vector<Output> returned_;
};

}  // namespace deepfreq::oracle
