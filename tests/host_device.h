#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/cuda/convolution_task.h"
#include "kernels/cuda/spectrum_shape.h"
#include "kernels/gemm_task.h"
#include "tests/host_block.h"
#include "tests/matrix_unit_on_host.h"

namespace deepfreq::tests {

/// The host as a device of the CUDA backend (kernels/cuda/network_device.h): runs its kernels on threads,
/// with plain loops in place of the matrix units and of what libraries do.
class HostDevice {
  public:
    using MatrixUnit = MatrixUnitOnHost;
    /// Few, so that the small cases of the table take several blocks too.
    static constexpr std::int64_t max_partial_sums = 3;

    /// Begins as NaN, like what blocks share.
    template <class T>
    class Memory {
      public:
        explicit Memory(std::int64_t count) : bytes_(static_cast<std::size_t>(count) * sizeof(T), '\xFF') {}
        T* data() const { return const_cast<T*>(reinterpret_cast<const T*>(bytes_.data())); }

      private:
        std::string bytes_;
    };

    /// Launches what a device can that has so much shared memory a block: 64 KiB is the least there is
    /// (compute capability 7.5), two tiles at once take what 8.0 has.
    explicit HostDevice(const cuda::spectrum::Limits& limits = {})
        : HostDevice(limits, {.shared_bytes = (limits.tiles_at_once > 1 ? 163 : 64) << 10}) {}
    HostDevice(const cuda::spectrum::Limits& limits, const cuda::LaunchLimits& launches)
        : limits_(limits), launches_(launches) {}
    cuda::spectrum::Limits limits() const { return limits_; }

    /// Nothing to switch.
    struct Current {
        ~Current() {}
    };
    Current make_current() const { return {}; }

    template <class T>
    Memory<T> take(std::int64_t count) {
        return Memory<T>(count);
    }
    template <class Kernel>
    void each(std::int64_t count, const Kernel& kernel) {
        const AnyOrder order(count, host_order);
        for (std::int64_t i = 0; i < count; ++i) kernel(order[i]);
    }
    template <class Kernel>
    void blocks(std::int64_t count, const Kernel& kernel) {
        if (!cuda::fits(launches_, count, Kernel::threads, sizeof(typename Kernel::Shared)))
            throw std::logic_error("a launch is beyond what the device can do");
        blocks_run_ += count;
        run_blocks_on_host(count, kernel);
    }
    template <class Key>
    void sort(const Key* key, const std::int32_t* value, Key* sorted_key, std::int32_t* sorted_value,
              std::int64_t n) {
        std::vector<std::int64_t> at(static_cast<std::size_t>(n));
        std::iota(at.begin(), at.end(), 0);
        std::stable_sort(at.begin(), at.end(), [&](auto i, auto j) { return key[i] < key[j]; });
        for (std::int64_t i = 0; i < n; ++i) {
            sorted_key[i] = key[at[static_cast<std::size_t>(i)]];
            sorted_value[i] = value[at[static_cast<std::size_t>(i)]];
        }
    }
    template <class T>
    std::vector<T> read(const T* from, std::int64_t count) {
        return {from, from + count};
    }
    template <class T>
    void write(const std::vector<T>& from, T* to) {
        std::copy(from.begin(), from.end(), to);
    }

    void multiply(const GemmTask& task, const float* a, const float* b, float* c) const;
    /// As cuBLASLt may refuse to.
    bool multiply_and_add_bias(const GemmTask&, const float*, const float*, float*, const float*) const {
        return false;
    }
    template <class OnSide, class OnMain>
    void side_by_side(const OnSide& on_side, const OnMain& on_main) const {
        on_side(*this);
        on_main();
    }
    void convolve(const cuda::ConvolutionTask& task, const float* x, const float* w, const float* y) const;
    double* partial_sums() { return partial_sums_.data(); }

    std::int64_t blocks_run() const { return blocks_run_; }

  private:
    cuda::spectrum::Limits limits_;
    cuda::LaunchLimits launches_;
    std::int64_t blocks_run_ = 0;
    std::vector<double> partial_sums_ = std::vector<double>(cuda::partial_sum_doubles);
};

}  // namespace deepfreq::tests
