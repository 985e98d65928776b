#pragma once

#include <memory>
#include <string>

#include "kernels/kernels.h"

namespace deepfreq {

/// Empty when a CUDA device can be used; else why not, in a few words.
std::string cuda_unavailable();

/// The CUDA backend on device `index`. Throws InputError with the cure when it cannot be had.
std::unique_ptr<Kernels> open_cuda_kernels(int index);

}  // namespace deepfreq
