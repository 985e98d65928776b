#pragma once

#include "kernels/cuda/device.h"

namespace deepfreq::cuda {

/// What the driver says of this machine.
DriverFacts ask_driver();

/// Makes `index` the current device. Throws InputError with the cure when it is not there, or this binary was
/// not built for it.
void use_device(int index);

/// What this binary was built for, as CMake has it, separated by blanks.
const char* built_architectures();

}  // namespace deepfreq::cuda
