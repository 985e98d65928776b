#pragma once

#include <memory>

#include "kernels/kernels.h"

namespace deepfreq {

/// The CPU backend: oneDNN for matrix products and convolutions, OpenMP over the cores, the compiler's vector
/// mathematics. Reductions over samples are in double and in a fixed order: results repeat bit for bit.
std::unique_ptr<Kernels> open_cpu_kernels();

}  // namespace deepfreq
