#pragma once

#include <cuda_runtime_api.h>

#include "kernels/cuda/handles.h"
#include "kernels/measuring_kernels.h"

namespace deepfreq {

/// What a CUDA device does of measuring: memory.cpp, measuring.cu, spectrum.cu and what they include. It
/// needs CUDA's runtime and none of its libraries. All work goes to one stream, in order. Whatever device is
/// the current one of the thread that calls, is so afterwards too: it may be another library's.
class CudaMeasuringKernels : public virtual MeasuringKernels {
  public:
    /// Takes device `index`, which is the current one and can be used.
    explicit CudaMeasuringKernels(int index);
    ~CudaMeasuringKernels() override;

    std::string description() const override;
    void synchronize() override;
    cudaStream_t stream() const { return stream_; }

  protected:
    int index_;
    cudaDeviceProp properties_{};
    cuda::Stream stream_;

  private:
    // memory.cpp
    void* do_allocate(std::size_t bytes) override;
    void do_release(void* data) noexcept override;
    std::size_t do_free_bytes() const override;
    void do_upload(const void* host, void* device, std::size_t bytes) override;
    void do_download(const void* device, void* host, std::size_t bytes) override;
    void do_copy(const void* from, void* to, std::size_t bytes) override;
    void do_zero(void* data, std::size_t bytes) override;
    // measuring.cu
    void do_centre_columns(Tensor x) override;
    void do_scale_columns_by_max_abs(Tensor x) override;
    double do_sum_of_squares(ConstTensor x, const ColumnScale& scale) override;
    std::optional<std::int64_t> do_first_non_finite(ConstTensor x) override;
    // spectrum.cu
    std::vector<double> do_gaussian_low_frequency_energy(ConstTensor x, ConstTensor y,
                                                         std::span<const double> inv_delta,
                                                         const LowFrequencyParams& params) override;
    std::vector<double> do_gaussian_low_frequency_row_energies(ConstTensor x, ConstTensor y,
                                                               std::span<const double> inv_delta,
                                                               std::span<const std::int64_t> rows,
                                                               const LowFrequencyParams& params) override;
};

}  // namespace deepfreq
