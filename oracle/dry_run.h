#pragma once

#include <cstddef>
#include <set>

#include "kernels/cuda/network_kernels.h"

namespace deepfreq::oracle {

/// A device of the CUDA backend that launches nothing and records which convolutions are requested.
class DryDevice {
  public:
    static constexpr std::int64_t max_partial_sums = 1024;
    template <class T>
    struct Memory {
        T* data() const { return nullptr; }
    };

    explicit DryDevice(std::set<cuda::ConvolutionTask>* convolutions) : convolutions_(convolutions) {}

    template <class T>
    Memory<T> take(std::int64_t /*count*/) const {
        return {};
    }
    template <class... Ignored>
    void each(const Ignored&...) const {}
    template <class... Ignored>
    void blocks(const Ignored&...) const {}
    template <class... Ignored>
    void sort(const Ignored&...) const {}
    void multiply(const GemmTask&, const float*, const float*, float*) const {}
    bool multiply_and_add_bias(const GemmTask&, const float*, const float*, float*, const float*) const {
        return true;
    }
    template <class OnSide, class OnMain>
    void side_by_side(const OnSide&, const OnMain&) const {}
    void convolve(const cuda::ConvolutionTask& task, const float*, const float*, const float*) const {
        convolutions_->insert(task);
    }
    double* partial_sums() const { return nullptr; }

  private:
    std::set<cuda::ConvolutionTask>* convolutions_;
};

/// The CUDA backend on such a device: records what is requested, and how much memory. Its addresses do not
/// point to memory, and it measures nothing.
class DryRun final : public cuda::BackendOn<DryDevice> {
  public:
    DryRun() : BackendOn(&convolutions_) {}

    /// Each once, as the CUDA backend would plan it.
    const std::set<cuda::ConvolutionTask>& convolutions() const { return convolutions_; }
    /// Bytes of all allocations.
    std::size_t bytes() const { return bytes_; }

    std::string description() const override { return "dry run"; }
    void synchronize() override {}
    std::size_t free_bytes() const override;

  private:
    void* allocate_bytes(std::size_t bytes) override;
    void release_bytes(void* /*data*/) noexcept override {}
    void upload_bytes(const void*, void*, std::size_t) override {}
    void download_bytes(const void*, void*, std::size_t) override {}
    void copy_bytes(const void*, void*, std::size_t) override {}
    void zero_bytes(void*, std::size_t) override {}
    std::unique_ptr<Graph> capture_work(std::function<void()>) override { return nullptr; }

    void execute(const CentreColumns&) override {}
    void execute(const ScaleColumnsByMaxAbs&) override {}
    double execute(const SumOfSquares&) override { return 0.0; }
    std::optional<std::int64_t> execute(const FirstNonFinite&) override { return std::nullopt; }
    std::vector<double> execute(const GaussianLowFrequencyEnergy& op) override {
        return std::vector<double>(op.samples.inv_deltas.size());
    }
    std::vector<double> execute(const GaussianLowFrequencyRowEnergies& op) override {
        return std::vector<double>(op.samples.inv_deltas.size() * op.rows.size());
    }

    std::set<cuda::ConvolutionTask> convolutions_;
    std::size_t bytes_ = 0;
};

}  // namespace deepfreq::oracle
