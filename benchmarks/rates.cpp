#include "benchmarks/device.h"
#include "kernels/cpu/gemm.h"

// The processor's peak rates in the device's precision. From them compare.py makes the floors
// shown beside our times.

namespace deepfreq::benchmarks {
namespace {

/// The three matrix products of a hidden dense layer 500-500 over a batch of 256: y, dx and dw.
void gemm_256x500x500(benchmark::State& state) {
    constexpr std::int64_t n = 256;
    constexpr std::int64_t width = 500;
    const std::vector<float> x = normals(n * width, 0);
    const std::vector<float> w = normals(width * width, 1);
    std::vector<float> y(n * width);
    std::vector<float> dw(width * width);
    Gemm gemm(device().precision());
    while (state.KeepRunning()) {
        gemm({Transpose::No, Transpose::Yes, n, width, width}, x.data(), w.data(), y.data());
        gemm({Transpose::No, Transpose::No, n, width, width}, x.data(), w.data(), y.data());
        gemm({Transpose::Yes, Transpose::No, width, width, n}, x.data(), x.data(), dw.data());
    }
    report_rate(state, "flop_rate", 3.0 * 2.0 * static_cast<double>(n * width * width));
}
BENCHMARK(gemm_256x500x500)->Name("rates/gemm_256x500x500")->UseRealTime();

/// One product so large that only arithmetic matters.
void gemm_2048(benchmark::State& state) {
    constexpr std::int64_t n = 2048;
    const std::vector<float> a = normals(n * n, 0);
    std::vector<float> c(n * n);
    Gemm gemm(device().precision());
    while (state.KeepRunning()) gemm({Transpose::No, Transpose::Yes, n, n, n}, a.data(), a.data(), c.data());
    report_rate(state, "flop_rate", 2.0 * static_cast<double>(n * n * n));
}
BENCHMARK(gemm_2048)->Name("rates/gemm_2048")->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace deepfreq::benchmarks
