#include "tests/host_device.h"

namespace deepfreq::tests {
namespace {

/// Element (row, column) of a matrix that is stored as it is or transposed.
float at(const float* matrix, Transpose transpose, std::int64_t rows, std::int64_t columns, std::int64_t row,
         std::int64_t column) {
    return matrix[transpose == Transpose::No ? row * columns + column : column * rows + row];
}

/// work(i, j, k) for every product of a convolution by its definition: the elements of x, w and y it has.
template <class Work>
void for_each_product(const cuda::ConvolutionTask& task, const Work& work) {
    const auto& [x, w, y] = std::tie(task.x, task.w, task.y);
    for (std::int64_t out = 0; out < task.sizes()[2]; ++out)
        for (std::int64_t a = 0; a < w[1]; ++a)
            for (std::int64_t b = 0; b < w[2]; ++b) {
                const std::int64_t filter = out % y[3];
                const std::int64_t pixel = out / y[3];
                const std::int64_t row = pixel / y[2] % y[1] * task.stride + a - task.padding;
                const std::int64_t column = pixel % y[2] * task.stride + b - task.padding;
                if (row < 0 || row >= x[1] || column < 0 || column >= x[2]) continue;
                const std::int64_t of_x = ((pixel / y[2] / y[1] * x[1] + row) * x[2] + column) * x[3];
                const std::int64_t of_w = ((filter * w[1] + a) * w[2] + b) * w[3];
                for (std::int64_t c = 0; c < x[3]; ++c) work(of_x + c, of_w + c, out);
            }
}

}  // namespace

void HostDevice::multiply(const GemmTask& task, const float* a, const float* b, float* c) const {
    for (std::int64_t i = 0; i < task.m; ++i)
        for (std::int64_t j = 0; j < task.n; ++j) {
            float sum = 0.0F;
            for (std::int64_t l = 0; l < task.k; ++l)
                sum += at(a, task.transpose_a, task.m, task.k, i, l) *
                       at(b, task.transpose_b, task.k, task.n, l, j);
            float& to = c[i * task.n + j];
            to = task.add ? to + sum : sum;
        }
}

void HostDevice::convolve(const cuda::ConvolutionTask& task, const float* x, const float* w,
                          const float* y) const {
    const float* const tensors[3] = {x, w, y};
    const std::size_t result = task.result();
    std::vector<float> sum(static_cast<std::size_t>(task.sizes()[result]), 0.0F);
    for_each_product(task, [&](std::int64_t i, std::int64_t j, std::int64_t k) {
        const std::int64_t element[3] = {i, j, k};
        float product = 1.0F;
        for (std::size_t t = 0; t < 3; ++t)
            if (t != result) product *= tensors[t][element[t]];
        sum[static_cast<std::size_t>(element[result])] += product;
    });
    // The device's convention: the one of the three that the task computes is written.
    auto* const to = const_cast<float*>(tensors[result]);
    for (std::size_t i = 0; i < sum.size(); ++i) to[i] = task.add ? to[i] + sum[i] : sum[i];
}

}  // namespace deepfreq::tests
