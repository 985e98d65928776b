#pragma once

/// Marks a function that runs on the host and, when nvcc compiles it, on the device too.
#ifdef __CUDACC__
#define DEEPFREQ_HOST_DEVICE __host__ __device__
#else
#define DEEPFREQ_HOST_DEVICE
#endif
