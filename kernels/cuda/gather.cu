#include "kernels/cuda/cuda_backend.h"
#include "kernels/cuda/gather_kernels.h"
#include "kernels/cuda/stream_device.cuh"

namespace deepfreq {

void CudaKernels::do_gather_rows(ConstTensor source, TensorView<const std::int32_t> permutation,
                                 TensorView<const StepState> state, Tensor batch) {
    cuda::StreamDevice device(stream_);
    cuda::gather_rows(device, source, permutation, state, batch);
}

void CudaKernels::do_gather_augmented_images(ConstTensor source, TensorView<const std::int32_t> permutation,
                                             TensorView<const StepState> state, const AugmentParams& params,
                                             Tensor batch) {
    cuda::launch_each(stream_, batch.elements(),
                      cuda::GatherAugmented(source, permutation.data, state.data, params, batch.data));
}

void CudaKernels::do_random_permutation(TensorView<std::int32_t> permutation, std::uint64_t seed,
                                        std::uint32_t epoch) {
    cuda::StreamDevice device(stream_);
    cuda::random_permutation(device, permutation, seed, epoch);
}

void CudaKernels::do_advance(TensorView<StepState> state, std::int64_t samples) {
    cuda::launch_each(stream_, 1, cuda::Advance{state.data, samples});
}

}  // namespace deepfreq
