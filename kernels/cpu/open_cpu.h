#pragma once

#include <memory>

#include "kernels/backend.h"

namespace deepfreq {

/// The CPU backend: oneDNN for matrix products and convolutions, OpenMP over the cores, the compiler's vector
/// mathematics. Reductions over samples are in double and in a fixed order: results repeat bit for bit.
/// `precision` is Float32 or BFloat16; a processor without bfloat16 products multiplies rounded copies in
/// float32 instead, and description() says so.
std::unique_ptr<Backend> open_cpu_backend(Precision precision = Precision::Float32);

/// From now on, what the calling thread asks of a CPU backend is computed on that thread alone. So threads
/// with a backend each work side by side, and what one computes does not depend on how many there are.
void compute_on_calling_thread();

}  // namespace deepfreq
