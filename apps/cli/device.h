#pragma once

#include <string>

#include "kernels/backend.h"

namespace deepfreq {

/// Calls open_backend(); logs which device was opened and why it was chosen.
OpenedBackend open_backend_telling(const std::string& device, Precision precision = Precision::Float32);

}  // namespace deepfreq
