#pragma once

#include <cublasLt.h>
#include <cudnn.h>

#include "kernels/cuda/check.h"

namespace deepfreq::cuda {

/// @name What check.h has for CUDA itself, for its libraries
/// @{
void check(cublasStatus_t status, const char* statement, const char* file, int line);
void check(cudnnStatus_t status, const char* statement, const char* file, int line);
/// @}

}  // namespace deepfreq::cuda
