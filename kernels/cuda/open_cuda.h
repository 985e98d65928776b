#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kernels/backend.h"

namespace deepfreq {

/// Empty if a CUDA device can be used; otherwise why not, and what helps, in a few words.
std::string cuda_unavailable();

/// The CUDA backend on device `index`. If it is not available, throws InputError with the cure.
std::unique_ptr<Backend> open_cuda_backend(int index, Precision precision);

/// Only the part that measures; leaves the current device unchanged. Throws likewise.
std::unique_ptr<SpectrumBackend> open_cuda_spectrum_backend(int index);

/// What is known of CUDA in this binary and on this machine.
struct CudaFacts {
    bool built = false;                            ///< whether this binary has the CUDA backend
    std::string architectures;                     ///< what it was built for, e.g. "75 80 86 89 90 and PTX"
    std::string toolkit;                           ///< version of the compiler's toolkit, as "13.0"
    std::string driver;                            ///< newest CUDA version the driver supports, or "none"
    std::string unavailable;                       ///< as cuda_unavailable()
    std::vector<std::string> devices;              ///< one line each
    std::map<std::string, std::string> libraries;  ///< name → version
};
CudaFacts cuda_facts();

}  // namespace deepfreq
