#include <fmt/format.h>

#include <exception>

#include "benchmarks/device.h"
#include "common/philox.h"

namespace deepfreq::benchmarks {

Kernels& device() {
    static const OpenedKernels opened = open_kernels("cpu");
    return *opened.kernels;
}

std::vector<float> normals(std::int64_t count, std::uint32_t stream) {
    const Philox random(0, RandomUse::Functions, stream);
    std::vector<float> values(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(random.normal(i));
    return values;
}

}  // namespace deepfreq::benchmarks

int main(int argc, char** argv) {
    try {
        benchmark::Initialize(&argc, argv);
        if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
        benchmark::AddCustomContext("device", deepfreq::benchmarks::device().description());
        benchmark::RunSpecifiedBenchmarks();
    } catch (const std::exception& error) {
        fmt::print(stderr, "deepfreq_benchmarks: {}\n", error.what());
        return 1;
    }
}
