#include <fmt/core.h>

#include <exception>
#include <string>
#include <string_view>

#include "benchmarks/device.h"
#include "common/crash_report.h"
#include "common/error.h"
#include "common/philox.h"

namespace deepfreq::benchmarks {

namespace {

/// What the command line specifies about the device.
struct Choice {
    std::string device = "cpu";
    Precision precision = Precision::Float32;
};
Choice chosen;

Backend* opened = nullptr;  // owned by main(): a static object would be destroyed after CUDA

/// Removes our own flags from the command line; the rest is for the benchmark library.
void take_choice(int& argc, char** argv) {
    int kept = 0;
    for (int i = 0; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word.starts_with("--device="))
            chosen.device = word.substr(word.find('=') + 1);
        else if (word.starts_with("--precision="))
            chosen.precision = parse_precision(word.substr(word.find('=') + 1));
        else
            argv[kept++] = argv[i];
    }
    argc = kept;
}

}  // namespace

Backend& device() {
    return *opened;
}

std::vector<float> normals(std::int64_t count, std::uint32_t stream) {
    const Philox random(0, RandomUse::Functions, stream);
    std::vector<float> values(static_cast<std::size_t>(count));
#pragma omp parallel for
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(random.normal(i));
    return values;
}

}  // namespace deepfreq::benchmarks

int main(int argc, char** argv) {
    using namespace deepfreq;
    report_crashes();
    try {
        benchmarks::take_choice(argc, argv);
        benchmark::Initialize(&argc, argv);
        if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
        const OpenedBackend backend = open_backend(benchmarks::chosen.device, benchmarks::chosen.precision);
        benchmarks::opened = backend.backend.get();
        benchmark::AddCustomContext("device", benchmarks::device().description());
        benchmark::AddCustomContext("precision", std::string(precision_name(benchmarks::chosen.precision)));
        benchmark::RunSpecifiedBenchmarks();
    } catch (const InputError& error) {
        fmt::print(stderr, "deepfreq_benchmarks: {}\n", error.what());
        return 2;
    } catch (const std::exception& error) {
        fmt::print(stderr, "deepfreq_benchmarks: {}\n", error.what());
        return 1;
    }
}
