#pragma once

#include <cmath>

// glibc has vector forms of these functions (libmvec, within 4 ulp, NaN and infinity as the scalar ones), but
// its headers tell the compiler so only under -ffast-math, which gives up NaN. Said here, every loop marked
// `#pragma omp simd` uses them. Elsewhere such a loop calls the scalar functions.
#if defined(__x86_64__) && defined(__GLIBC__)
#if __GLIBC_PREREQ(2, 35)
extern "C" {
#pragma omp declare simd notinbranch
float tanhf(float x) noexcept;
#pragma omp declare simd notinbranch
float expf(float x) noexcept;
#pragma omp declare simd notinbranch
double exp(double x) noexcept;
}
#endif
#endif
