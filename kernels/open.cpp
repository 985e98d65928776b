#include <charconv>

#include "common/error.h"
#include "kernels/cpu/cpu_kernels.h"
#include "kernels/cuda/cuda_kernels.h"
#include "kernels/kernels.h"

namespace deepfreq {

OpenedKernels open_kernels(std::string_view device) {
    if (device == "cpu") return {open_cpu_kernels(), "cpu: asked for"};
    if (device == "auto") {
        // The CPU is a choice only where there is no GPU to use; whatever else goes wrong with one is an
        // error.
        const std::string missing = cuda_unavailable();
        if (missing.empty()) return {open_cuda_kernels(0), "auto chose cuda:0: the first GPU"};
        return {open_cpu_kernels(), "auto chose cpu: " + missing};
    }
    if (device == "cuda") return {open_cuda_kernels(0), "cuda:0: asked for"};
    if (device.starts_with("cuda:")) {
        const std::string_view text = device.substr(5);
        int index = -1;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
        if (error == std::errc{} && end == text.data() + text.size() && index >= 0)
            return {open_cuda_kernels(index), std::string(device) + ": asked for"};
    }
    throw InputError("--device is '{}', expected auto, cpu, cuda or cuda:N", device);
}

}  // namespace deepfreq
