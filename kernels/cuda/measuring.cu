#include "kernels/cuda/measuring_backend.h"
#include "kernels/cuda/measuring_kernels.h"
#include "kernels/cuda/stream_device.cuh"

namespace deepfreq {

void CudaMeasuringKernels::do_centre_columns(Tensor x) {
    const cuda::CurrentDevice current(index_);
    cuda::StreamDevice device(stream_);
    cuda::centre_columns(device, x.data, x.rows(), x.columns());
}

void CudaMeasuringKernels::do_scale_columns_by_max_abs(Tensor x) {
    const cuda::CurrentDevice current(index_);
    cuda::StreamDevice device(stream_);
    cuda::scale_columns(device, x.data, x.rows(), x.columns());
}

double CudaMeasuringKernels::do_sum_of_squares(ConstTensor x, const ColumnScale& scale) {
    const cuda::CurrentDevice current(index_);
    if (x.elements() == 0) return 0.0;
    cuda::StreamDevice device(stream_);
    const auto scaled = cuda::scaled_copy(device, x, scale);
    return cuda::sum_of_squares(device, scale.given() ? scaled.data() : x.data, x.elements());
}

std::optional<std::int64_t> CudaMeasuringKernels::do_first_non_finite(ConstTensor x) {
    const cuda::CurrentDevice current(index_);
    const std::int64_t count = x.elements();
    if (count == 0) return std::nullopt;
    cuda::StreamDevice device(stream_);
    const std::int64_t first = cuda::first_non_finite(device, x.data, count);
    return first < count ? std::optional(first) : std::nullopt;
}

}  // namespace deepfreq
