#include "kernels/cuda/device_precision.h"

#include "kernels/backend.h"

namespace deepfreq::cuda {

std::string why_no_such_precision(const std::string& device, int major, int minor, Precision precision) {
    if (precision == Precision::Float32 || precision == Precision::Auto || major >= 8) return {};
    return fmt::format("the precision is {}, but {} has compute capability {}.{}, expected 8.0 or more",
                       precision_name(precision), device, major, minor);
}

Precision chosen_precision(int major, Precision asked) {
    if (asked != Precision::Auto) return asked;
    return major >= 8 ? Precision::TensorFloat32 : Precision::Float32;
}

}  // namespace deepfreq::cuda
