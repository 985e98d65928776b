#pragma once

#include <cstddef>
#include <string>

// Whether this machine's devices can be used, told from plain facts: so that every answer can be tested
// without the machine it is about.

namespace deepfreq::cuda {

/// Versions as CUDA has them: 13000 is 13.0. A driver of 0 is none.
struct DriverFacts {
    int driver = 0;       ///< newest CUDA version the driver serves
    int runtime = 0;      ///< that of the runtime in this binary
    int devices = 0;      ///< found by the driver
    std::string trouble;  ///< what the driver said when asked for its devices, if it failed
};

/// "13.0"
std::string version_text(int version);

/// The same of cuBLASLt and cuDNN: 91900 is 9.19.0.
std::string library_version_text(std::size_t version);

/// Empty when there is a device to use; else why not and what helps.
std::string why_unavailable(const DriverFacts& facts);

/// Empty when `index` is one of `devices`; else the sentence for the user.
std::string why_no_such_device(int index, int devices);

/// Empty when code for `built` ("75-real 80-real 90", the last of which brings PTX) runs on a device of
/// compute capability major.minor; else the sentence for the user.
std::string why_not_built_for(const std::string& device, int major, int minor, const std::string& built);

}  // namespace deepfreq::cuda
