#include <nanobind/ndarray.h>

#include "kernels/cpu/spectrum_backend.h"
#include "python/src/backend.h"

namespace deepfreq::python {

const int memory_kind = nanobind::device::cpu::value;

std::unique_ptr<SpectrumBackend> open_backend(int /*index*/) {
    return std::make_unique<CpuSpectrumBackend>();
}

std::string why_unavailable() {
    return "";
}

std::uintptr_t stream_of(const SpectrumBackend& /*backend*/) {
    return 0;
}

}  // namespace deepfreq::python
