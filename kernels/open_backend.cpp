#include <charconv>

#include "common/error.h"
#include "kernels/backend.h"
#include "kernels/cpu/open_cpu.h"
#include "kernels/cuda/open_cuda.h"

namespace deepfreq {

namespace {

std::unique_ptr<Backend> open_cpu(Precision precision) {
    if (precision == Precision::TensorFloat32)
        throw InputError("the precision is tf32, which only GPUs have, expected fp32 or bf16 on a CPU");
    return open_cpu_backend(precision == Precision::Auto ? Precision::Float32 : precision);
}

}  // namespace

OpenedBackend open_backend(std::string_view device, Precision precision) {
    if (device == "cpu") return {open_cpu(precision), "cpu: asked for"};
    if (device == "auto") {
        // The CPU is chosen only if there is no usable GPU. Anything else that goes wrong with a GPU is an
        // error.
        const std::string missing = cuda_unavailable();
        if (missing.empty()) return {open_cuda_backend(0, precision), "auto chose cuda:0: the first GPU"};
        return {open_cpu(precision), "auto chose cpu: " + missing};
    }
    if (device == "cuda") return {open_cuda_backend(0, precision), "cuda:0: asked for"};
    if (device.starts_with("cuda:")) {
        const std::string_view text = device.substr(5);
        int index = -1;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
        if (error == std::errc{} && end == text.data() + text.size() && index >= 0)
            return {open_cuda_backend(index, precision), std::string(device) + ": asked for"};
    }
    throw InputError("the device is '{}', expected auto, cpu, cuda or cuda:N", device);
}

Precision parse_precision(std::string_view name) {
    if (name == "fp32") return Precision::Float32;
    if (name == "tf32") return Precision::TensorFloat32;
    if (name == "bf16") return Precision::BFloat16;
    if (name == "auto") return Precision::Auto;
    throw InputError("the precision is '{}', expected fp32, tf32, bf16 or auto", name);
}

std::string_view precision_name(Precision precision) {
    switch (precision) {
        case Precision::TensorFloat32:
            return "tf32";
        case Precision::BFloat16:
            return "bf16";
        case Precision::Auto:
            return "auto";
        default:
            return "fp32";
    }
}

}  // namespace deepfreq
