#pragma once

#include <dnnl.h>

#include <cstdint>

#include "common/error.h"

namespace deepfreq {

/// How gemm() reads a matrix.
enum class Form : char { Plain = 'N', Transposed = 'T' };

/// c[m,n] = op(a) op(b) + beta c, where op(a) is [m,k] and op(b) is [k,n]; all row-major and contiguous. With
/// beta 0, c is not read. Throws RunError when oneDNN refuses.
inline void gemm(Form form_a, Form form_b, std::int64_t m, std::int64_t n, std::int64_t k, const float* a,
                 const float* b, float beta, float* c) {
    const std::int64_t row_a = form_a == Form::Plain ? k : m;
    const std::int64_t row_b = form_b == Form::Plain ? n : k;
    const dnnl_status_t status = dnnl_sgemm(static_cast<char>(form_a), static_cast<char>(form_b), m, n, k,
                                            1.0F, a, row_a, b, row_b, beta, c, n);
    if (status != dnnl_success)
        throw RunError("oneDNN: matrix product of [{}, {}] by [{}, {}] failed with status {}, expected 0", m,
                       k, k, n, static_cast<int>(status));
}

}  // namespace deepfreq
