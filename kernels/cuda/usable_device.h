#pragma once

#include "kernels/cuda/device.h"

namespace deepfreq::cuda {

/// What the driver says of this machine.
DriverFacts ask_driver();

/// Throws InputError with the cure when device `index` is not there, or this binary was not built for it.
void expect_usable(int index);

/// Makes `index` the current device. Throws likewise.
void use_device(int index);

/// What this binary was built for, as CMake has it, separated by blanks.
const char* built_architectures();

}  // namespace deepfreq::cuda
