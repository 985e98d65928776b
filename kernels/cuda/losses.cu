#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/losses_kernels.h"
#include "kernels/cuda/stream_device.cuh"

namespace deepfreq {

void CudaKernels::do_mean_squared_error(ConstTensor p, ConstTensor t, Tensor dp, TensorView<double> sums,
                                        TensorView<const StepState> state) {
    cuda::StreamDevice device(stream_);
    const std::int64_t count = p.elements();
    const cuda::LossTarget target{sums.data, state.data, static_cast<double>(p.columns()),
                                  static_cast<double*>(partial_sums_.data())};
    cuda::run_loss(
        device, cuda::SquaredErrors{p.data, t.data, count, 2.0 / static_cast<double>(count), dp.data, target},
        cuda::loss_blocks(count, partial_sums));
}

void CudaKernels::do_softmax_cross_entropy(ConstTensor z, ConstTensor t, Tensor dz, TensorView<double> sums,
                                           TensorView<const StepState> state) {
    cuda::StreamDevice device(stream_);
    const std::int64_t n = z.rows();
    const cuda::LossTarget target{sums.data, state.data, 1.0, static_cast<double*>(partial_sums_.data())};
    cuda::run_loss(
        device,
        cuda::CrossEntropies{z.data, t.data, n, z.columns(), 1.0 / static_cast<double>(n), dz.data, target},
        cuda::row_loss_blocks(n, z.columns(), partial_sums));
}

void CudaKernels::do_softmax(ConstTensor z, Tensor p) {
    cuda::launch_each(stream_, z.rows(), cuda::SoftmaxOfRow{z.data, z.columns(), p.data});
}

void CudaKernels::do_count_correct(ConstTensor p, TensorView<const std::int32_t> labels,
                                   TensorView<std::int64_t> correct) {
    cuda::launch_blocks(stream_, 1,
                        cuda::CountCorrect{p.data, labels.data, p.rows(), p.columns(), correct.data});
}

}  // namespace deepfreq
