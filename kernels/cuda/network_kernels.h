#pragma once

// The bodies of all network operations, for a device that is compiled in one source.

#include "kernels/cuda/adam_kernels.h"
#include "kernels/cuda/batchnorm_kernels.h"
#include "kernels/cuda/conv2d_kernels.h"
#include "kernels/cuda/dense_kernels.h"
#include "kernels/cuda/elementwise_kernels.h"
#include "kernels/cuda/gather_kernels.h"
#include "kernels/cuda/gradient_norms_kernels.h"
#include "kernels/cuda/losses_kernels.h"
#include "kernels/cuda/pool_kernels.h"
