#pragma once

#include <memory>

#include "kernels/backend.h"

namespace deepfreq {

/// The CPU backend: oneDNN for matrix products and convolutions, OpenMP across the cores, and the compiler's
/// vector math. Reductions over samples are in double and in a fixed order, so results repeat bit for bit.
/// `precision` is Float32 or BFloat16. A processor without bfloat16 products multiplies rounded copies in
/// float32 instead, and description() says so.
std::unique_ptr<Backend> open_cpu_backend(Precision precision = Precision::Float32);

/// From now on, whatever the calling thread asks of a CPU backend is computed on that thread alone. Threads
/// with a backend each can then work side by side, and no result depends on how many threads there are.
void compute_on_calling_thread();

}  // namespace deepfreq
