#include <nanobind/ndarray.h>

#include "kernels/cpu/measuring_backend.h"
#include "python/src/backend.h"

namespace deepfreq::python {

const int memory_kind = nanobind::device::cpu::value;

std::unique_ptr<MeasuringKernels> open_kernels(int /*index*/) {
    return std::make_unique<CpuMeasuringKernels>();
}

std::string why_unavailable() {
    return "";
}

std::uintptr_t stream_of(const MeasuringKernels& /*kernels*/) {
    return 0;
}

}  // namespace deepfreq::python
