#include "kernels/cuda/check_libraries.h"

namespace deepfreq::cuda {

void check(cublasStatus_t status, const char* statement, const char* file, int line) {
    if (status != CUBLAS_STATUS_SUCCESS) fail(statement, file, line, cublasLtGetStatusString(status));
}

void check(cudnnStatus_t status, const char* statement, const char* file, int line) {
    if (status != CUDNN_STATUS_SUCCESS) fail(statement, file, line, cudnnGetErrorString(status));
}

}  // namespace deepfreq::cuda
