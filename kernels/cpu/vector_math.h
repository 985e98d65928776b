#pragma once

#include <cmath>

// glibc has vector versions of these functions (libmvec, within 4 ulp, NaN and infinity as in the scalar
// ones), but its headers announce them to the compiler only under -ffast-math, which gives up NaN. Declared
// here, they are used by every loop marked `#pragma omp simd`. Elsewhere such a loop calls the scalar
// functions.
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
