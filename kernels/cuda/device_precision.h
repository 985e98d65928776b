#pragma once

#include <string>

#include "kernels/types.h"

// What a device can compute in, told from plain facts, as in device.h.

namespace deepfreq::cuda {

/// Empty when a device of that compute capability computes in `precision` itself; else the sentence for the
/// user: the libraries would take fp32 without a word.
std::string why_no_such_precision(const std::string& device, int major, int minor, Precision precision);

/// What `asked` comes to on a device of that compute capability: Auto is TensorFloat32 from 8.0 on.
Precision chosen_precision(int major, Precision asked);

}  // namespace deepfreq::cuda
