#pragma once

#include <string>

#include "kernels/types.h"

// Which precisions a device can compute in, decided from plain facts, as in device.h.

namespace deepfreq::cuda {

/// Empty if a device of that compute capability supports `precision` natively; otherwise the message for the
/// user, because the libraries would silently use fp32.
std::string why_no_such_precision(const std::string& device, int major, int minor, Precision precision);

/// What `asked` resolves to on a device of that compute capability: Auto is TensorFloat32 from 8.0 on.
Precision chosen_precision(int major, Precision asked);

}  // namespace deepfreq::cuda
