#pragma once

#include <cstdint>
#include <stdexcept>

#include "common/host_device.h"

namespace deepfreq::cuda {

/// Four floats that a thread reads or writes at once, aligned to 16 bytes.
struct alignas(16) Four {
    float x[4];
};

/// Whether all of the pointers are aligned to 16 bytes.
template <class... Pointers>
DEEPFREQ_HOST_DEVICE bool on_16_bytes(const Pointers*... pointers) {
    return ((reinterpret_cast<std::uintptr_t>(pointers) % 16 == 0) && ...);
}

/// A misaligned access aborts a kernel on the device. On the host it would go unnoticed, so this throws
/// there.
DEEPFREQ_HOST_DEVICE inline void require_16_bytes([[maybe_unused]] const void* pointer) {
#ifndef __CUDA_ARCH__
    if (reinterpret_cast<std::uintptr_t>(pointer) % 16 != 0)
        throw std::logic_error("an access of 16 bytes is misaligned");
#endif
}

/// The same memory in fours. It must be aligned to 16 bytes.
DEEPFREQ_HOST_DEVICE inline Four* as_fours(float* x) {
    require_16_bytes(x);
    return reinterpret_cast<Four*>(x);
}
DEEPFREQ_HOST_DEVICE inline const Four* as_fours(const float* x) {
    require_16_bytes(x);
    return reinterpret_cast<const Four*>(x);
}

}  // namespace deepfreq::cuda
