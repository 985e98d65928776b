#pragma once

#include <cstdint>
#include <initializer_list>

namespace deepfreq::cuda {

/// The largest power of two, at most 16 (the widest access), to which all the pointers are aligned; null
/// counts as aligned. It is capped so that how an operation is done does not depend on where its memory
/// happens to lie.
inline std::uint32_t alignment_of(std::initializer_list<const void*> pointers) {
    std::uintptr_t bits = 16;
    for (const void* const pointer : pointers) bits |= reinterpret_cast<std::uintptr_t>(pointer);
    return static_cast<std::uint32_t>(bits & (~bits + 1));
}

}  // namespace deepfreq::cuda
