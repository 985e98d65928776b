#pragma once

#include <cudnn.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "kernels/cuda/check_libraries.h"

namespace deepfreq::cuda {

/// Why cuDNN's last call failed, in its own words; empty if it does not say.
inline std::string cudnn_reason() {
    std::array<char, 512> text{};
    cudnnGetLastErrorString(text.data(), text.size());
    return text.data();
}

/// One descriptor of cuDNN's graph interface: created, given attributes one by one, and then finalised.
class Descriptor {
  public:
    explicit Descriptor(cudnnBackendDescriptorType_t type) {
        DEEPFREQ_CUDA(cudnnBackendCreateDescriptor(type, &descriptor_));
    }
    Descriptor(Descriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, nullptr)) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (descriptor_ != nullptr) cudnnBackendDestroyDescriptor(descriptor_);
    }

    cudnnBackendDescriptor_t get() const { return descriptor_; }

    template <class T>
    Descriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, const T& value) {
        DEEPFREQ_CUDA(cudnnBackendSetAttribute(descriptor_, name, type, 1, &value));
        return *this;
    }
    template <class T, std::size_t N>
    Descriptor& set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                    const std::array<T, N>& values) {
        DEEPFREQ_CUDA(cudnnBackendSetAttribute(descriptor_, name, type, N, values.data()));
        return *this;
    }
    Descriptor& set(cudnnBackendAttributeName_t name, const Descriptor& other) {
        return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, other.get());
    }
    void finish() { DEEPFREQ_CUDA(cudnnBackendFinalize(descriptor_)); }
    /// Whether cuDNN can do it. A plan that it cannot make is not an error.
    bool try_finish() { return cudnnBackendFinalize(descriptor_) == CUDNN_STATUS_SUCCESS; }

    /// The value of a finalised descriptor's attribute of this name, a single number.
    std::int64_t number(cudnnBackendAttributeName_t name) const {
        std::int64_t value = 0;
        std::int64_t count = 0;
        DEEPFREQ_CUDA(cudnnBackendGetAttribute(descriptor_, name, CUDNN_TYPE_INT64, 1, &count, &value));
        return value;
    }

  private:
    cudnnBackendDescriptor_t descriptor_ = nullptr;
};

}  // namespace deepfreq::cuda
