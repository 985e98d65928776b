#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "kernels/backend.h"

namespace deepfreq {

/// Empty when a CUDA device can be used; else why not and what helps, in a few words.
std::string cuda_unavailable();

/// The CUDA backend on device `index`. Throws InputError with the cure when it cannot be had.
std::unique_ptr<Backend> open_cuda_backend(int index, Precision precision);

/// What measures alone of it, which leaves the current device as it is. Throws likewise.
std::unique_ptr<SpectrumBackend> open_cuda_spectrum_backend(int index);

/// What is known of CUDA in this binary and on this machine.
struct CudaFacts {
    bool built = false;                            ///< whether this binary has the CUDA backend
    std::string architectures;                     ///< what it was built for, as "75 80 86 89 90 and PTX"
    std::string toolkit;                           ///< version of the compiler's toolkit, as "13.0"
    std::string driver;                            ///< newest CUDA version the driver serves, or "none"
    std::string unavailable;                       ///< as cuda_unavailable()
    std::vector<std::string> devices;              ///< one line each
    std::map<std::string, std::string> libraries;  ///< name → version
};
CudaFacts cuda_facts();

}  // namespace deepfreq
