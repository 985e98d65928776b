#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "kernels/spectrum_backend.h"

// What an extension module measures with; each has one of cpu_backend.cpp and cuda_backend.cpp.

namespace deepfreq::python {

/// Of the devices that DLPack numbers, the one whose memory the kernels work on.
extern const int memory_kind;

/// The kernels of device `index`. Throws InputError where there are none.
std::unique_ptr<SpectrumBackend> open_backend(int index);

/// Why open_backend would throw for device 0; empty if it would not.
std::string why_unavailable();

/// The stream that kernels of this backend queue their work in, as DLPack wants it; 0 where there is none.
std::uintptr_t stream_of(const SpectrumBackend& backend);

}  // namespace deepfreq::python
