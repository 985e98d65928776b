#pragma once

#include "kernels/cuda/device.h"

namespace deepfreq::cuda {

/// What the driver reports about this machine.
DriverFacts ask_driver();

/// Throws InputError with the cure if device `index` does not exist, or this binary was not built for it.
void expect_usable(int index);

/// Makes `index` the current device. Throws likewise.
void use_device(int index);

/// What this binary was built for, in CMake's notation, separated by blanks.
const char* built_architectures();

}  // namespace deepfreq::cuda
