#pragma once

#include "kernels/spectrum_backend.h"

namespace deepfreq {

/// The CPU's share of measuring: memory.cpp, reductions.cpp, spectrum.cpp and what that is made of. It needs
/// only OpenMP.
class CpuSpectrumBackend : public virtual SpectrumBackend {
  public:
    std::string description() const override;
    std::size_t free_bytes() const override;
    void synchronize() override {}

  protected:
    /// "cpu: PROCESSOR, N threads".
    static std::string processor();

  private:
    // memory.cpp
    void* allocate_bytes(std::size_t bytes) override;
    void release_bytes(void* data) noexcept override;
    void upload_bytes(const void* host, void* device, std::size_t bytes) override;
    void download_bytes(const void* device, void* host, std::size_t bytes) override;
    void copy_bytes(const void* from, void* to, std::size_t bytes) override;
    void zero_bytes(void* data, std::size_t bytes) override;

  protected:
    // reductions.cpp
    void execute(const CentreColumns& op) override;
    void execute(const ScaleColumnsByMaxAbs& op) override;
    double execute(const SumOfSquares& op) override;
    std::optional<std::int64_t> execute(const FirstNonFinite& op) override;
    // spectrum.cpp
    std::vector<double> execute(const GaussianLowFrequencyEnergy& op) override;
    // spectrum_rows.cpp
    std::vector<double> execute(const GaussianLowFrequencyRowEnergies& op) override;
};

}  // namespace deepfreq
