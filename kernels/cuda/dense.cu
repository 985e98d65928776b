#include <algorithm>

#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/dense_kernels.h"
#include "kernels/cuda/four.h"
#include "kernels/cuda/launch.cuh"

namespace deepfreq {

void CudaKernels::do_dense_forward(ConstTensor x, ConstTensor w, ConstTensor b, Activation sigma, Tensor y) {
    const GemmTask product{Form::Plain, Form::Transposed, x.rows(), w.rows(), x.columns()};
    // cuBLASLt need not add a bias at an odd address, nor to a single row or column.
    const bool fusible = sigma == Activation::Identity && cuda::on_16_bytes(b.data) &&
                         std::min({product.m, product.n, product.k}) > 1;
    if (fusible && gemm_.with_bias(product, x.data, w.data, y.data, b.data)) return;
    gemm_(product, x.data, w.data, y.data);
    // cuBLASLt could apply ReLU too, but does not promise that a NaN stays one.
    math::with_activation(sigma, [&]<Activation A> {
        cuda::launch_each(stream_, y.elements(), cuda::AddBiasAndActivate<A>{b.data, y.data, y.columns()});
    });
}

void CudaKernels::do_dense_backward(ConstTensor x, ConstTensor w, ConstTensor y, Activation sigma, Tensor dy,
                                    Tensor dx, Tensor dw, Tensor db, GradMode mode) {
    const std::int64_t n = x.rows();
    const std::int64_t in = w.columns();
    const std::int64_t out = w.rows();
    math::with_activation(sigma, [&]<Activation A> {
        using Kernel = cuda::ActivationBackward<A>;
        cuda::launch_blocks(stream_, cuda::blocks_for(out, Kernel::block_columns),
                            Kernel{y.data, dy.data, db.data, n, out, mode});
    });
    const Tensor& dz = dy;
    GemmTask for_w{Form::Transposed, Form::Plain, out, in, n};
    for_w.add = mode == GradMode::Accumulate;
    if (!dx) {
        gemm_(for_w, dz.data, x.data, dw.data);
        return;
    }
    // Neither product fills a large GPU: they run side by side.
    DEEPFREQ_CUDA(cudaEventRecord(fork_, stream_));
    DEEPFREQ_CUDA(cudaStreamWaitEvent(side_stream_, fork_, 0));
    side_gemm_(for_w, dz.data, x.data, dw.data);
    DEEPFREQ_CUDA(cudaEventRecord(join_, side_stream_));
    gemm_({Form::Plain, Form::Plain, n, in, out}, dz.data, w.data, dx.data);
    DEEPFREQ_CUDA(cudaStreamWaitEvent(stream_, join_, 0));
}

}  // namespace deepfreq
