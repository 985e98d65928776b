#pragma once

#include <cublasLt.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

#include <cstddef>

// Every call of CUDA and its libraries goes through this: DEEPFREQ_CUDA(cudaStreamSynchronize(stream));

namespace deepfreq::cuda {

/// @name Throw RunError unless the call succeeded
/// The sentence names the device, the statement, its file and line, the reason and, where known, the cure.
/// @{
void check(cudaError_t status, const char* statement, const char* file, int line);
void check(cublasStatus_t status, const char* statement, const char* file, int line);
void check(cudnnStatus_t status, const char* statement, const char* file, int line);
/// @}

/// Throws OutOfMemory naming the bytes asked for and those free.
[[noreturn]] void out_of_memory(std::size_t bytes);

}  // namespace deepfreq::cuda

#define DEEPFREQ_CUDA(statement) ::deepfreq::cuda::check((statement), #statement, __FILE__, __LINE__)
