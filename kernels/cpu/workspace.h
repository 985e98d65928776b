#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace deepfreq {

/// Scratch memory that operations use one after the other. It grows to the largest need and stays there, so
/// that a training step allocates nothing after the first.
class Workspace {
  public:
    /// Uninitialised room for `count` objects of type T. What was returned before is lost.
    template <class T>
    T* room(std::int64_t count) {
        const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(T);
        if (bytes > bytes_) {
            bytes_ = 0;
            memory_.reset();
            memory_.reset(static_cast<std::byte*>(::operator new(bytes, cache_line)));
            bytes_ = bytes;
        }
        return reinterpret_cast<T*>(memory_.get());
    }

  private:
    static constexpr std::align_val_t cache_line{64};
    struct Release {
        void operator()(std::byte* data) const { ::operator delete(data, cache_line); }
    };

    std::unique_ptr<std::byte, Release> memory_;
    std::size_t bytes_ = 0;
};

}  // namespace deepfreq
