#pragma once

#include <cstddef>
#include <string>

// Whether this machine's devices can be used, decided from plain facts, so that every answer can be tested
// without the machine in question.

namespace deepfreq::cuda {

/// Versions as CUDA encodes them: 13000 is 13.0. A driver version of 0 means none.
struct DriverFacts {
    int driver = 0;       ///< newest CUDA version the driver supports
    int runtime = 0;      ///< version of the runtime in this binary
    int devices = 0;      ///< number found by the driver
    std::string trouble;  ///< what the driver said when asked for its devices, if it failed
};

/// "13.0"
std::string version_text(int version);

/// The same for cuBLASLt and cuDNN: 91900 is 9.19.0.
std::string library_version_text(std::size_t version);

/// Empty if there is a device to use; otherwise why not, and what helps.
std::string why_unavailable(const DriverFacts& facts);

/// Empty if `index` is one of `devices`; otherwise the message for the user.
std::string why_no_such_device(int index, int devices);

/// Empty if code built for `built` ("75-real 80-real 90", the last of which includes PTX) runs on a device of
/// compute capability major.minor; otherwise the message for the user.
std::string why_not_built_for(const std::string& device, int major, int minor, const std::string& built);

}  // namespace deepfreq::cuda
