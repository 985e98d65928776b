#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <string>

#include "common/error.h"

// Every call to CUDA and its libraries goes through this: DEEPFREQ_CUDA(cudaStreamSynchronize(stream));

namespace deepfreq::cuda {

/// Throws RunError unless the call succeeded. The message names the device, the statement, its file and line,
/// the reason and, where known, the cure. check_libraries.h does the same for cuBLAS and cuDNN.
void check(cudaError_t status, const char* statement, const char* file, int line);

/// Throws the RunError for a statement that failed for this reason.
[[noreturn]] void fail(const char* statement, const char* file, int line, const std::string& reason,
                       Remedy remedy = Remedy::None);

/// Throws OutOfMemory with the number of bytes requested and the number free.
[[noreturn]] void out_of_memory(std::size_t bytes);

}  // namespace deepfreq::cuda

#define DEEPFREQ_CUDA(statement) ::deepfreq::cuda::check((statement), #statement, __FILE__, __LINE__)
