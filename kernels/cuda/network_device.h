#pragma once

#include <cstdint>

#include "kernels/cuda/convolutions.h"
#include "kernels/cuda/gemm.h"
#include "kernels/cuda/handles.h"
#include "kernels/cuda/launch_shape.h"
#include "kernels/cuda/stream_device.h"
#include "kernels/cuda/workspace.h"

namespace deepfreq::cuda {

/// A StreamDevice with what networks need from NVIDIA's libraries, and a second stream beside the first.
class NetworkDevice : public StreamDevice {
  public:
    /// Partial sums of a loss or a norm: few enough for one more launch to add them up.
    static constexpr std::int64_t max_partial_sums = 1024;

    NetworkDevice(const TakenDevice& device, Precision precision);
    ~NetworkDevice();
    NetworkDevice(const NetworkDevice&) = delete;
    NetworkDevice& operator=(const NetworkDevice&) = delete;

    /// c = a b, or c += a b.
    void multiply(const GemmTask& task, const float* a, const float* b, float* c) { gemm_(task, a, b, c); }

    /// c = a b + bias, in one pass over c. Returns false if cuBLASLt cannot; c is then garbage.
    bool multiply_and_add_bias(const GemmTask& task, const float* a, const float* b, float* c,
                               const float* bias);

    /// Queues on_side(device), whose products go to the second stream, alongside what on_main() queues here.
    template <class OnSide, class OnMain>
    void side_by_side(const OnSide& on_side, const OnMain& on_main) {
        fork();
        Side side{side_gemm_};
        on_side(side);
        on_main();
        join();
    }

    /// One of the convolutions of Conv2dForward and Conv2dBackward; the task says which of x, w and y (or
    /// their gradients) is written.
    void convolve(const ConvolutionTask& task, const float* x, const float* w, const float* y) {
        convolutions_(task, x, w, y);
    }

    /// partial_sum_doubles that a captured operation may use between two of its launches.
    double* partial_sums() const { return partial_sums_; }

  private:
    struct Side {
        Gemm& gemm;
        void multiply(const GemmTask& task, const float* a, const float* b, float* c) const {
            gemm(task, a, b, c);
        }
    };
    void fork();
    void join();

    Stream side_stream_;
    Event fork_, join_;  // where the side stream leaves the main one, and rejoins it
    Workspace workspace_, side_workspace_, sums_workspace_;
    Gemm gemm_, side_gemm_;  // one per stream
    Convolutions convolutions_;
    double* partial_sums_;
};

}  // namespace deepfreq::cuda
