#include <cstdlib>
#include <filesystem>
#include <string>
#include <tuple>

#include "analysis/filter_grid.h"
#include "analysis/low_frequency_ratio.h"
#include "benchmarks/device.h"
#include "common/atomic_file.h"
#include "common/philox.h"

namespace deepfreq::benchmarks {
namespace {

constexpr std::int64_t classes = 10;
constexpr int width_count = 100;

struct Samples {
    std::vector<float> x, y;  // [n, features], [n, classes]
    std::vector<double> inv_delta;
};

/// Ten clouds, one a class, as lfr_pytorch.py makes them; targets one-hot, or normal numbers.
Samples make_samples(std::int64_t n, std::int64_t features, bool one_hot) {
    const std::vector<float> centres = normals(classes * features, 0);
    const Philox random(0, RandomUse::Functions, 1);
    Samples s{.x = normals(n * features, 2), .y = normals(n * classes, 3), .inv_delta = {}};
    std::vector<double> sum(static_cast<std::size_t>(features)), squares(sum.size());
    for (std::int64_t i = 0; i < n; ++i) {
        const auto label =
            static_cast<std::int64_t>(random.words(static_cast<std::uint64_t>(i))[0] % classes);
        for (std::int64_t c = 0; c < classes && one_hot; ++c) s.y[i * classes + c] = c == label ? 1.0F : 0.0F;
        for (std::int64_t j = 0; j < features; ++j) {
            float& value = s.x[i * features + j];
            value += 0.5F * centres[label * features + j];
            sum[j] += static_cast<double>(value);
            squares[j] += static_cast<double>(value) * static_cast<double>(value);
        }
    }
    double mean_squared_distance = 0.0;
    const auto count = static_cast<double>(n);
    for (std::int64_t j = 0; j < features; ++j)
        mean_squared_distance += 2.0 * (squares[j] / count - sum[j] / count * (sum[j] / count));
    const double last = 40.0 / mean_squared_distance;  // where only the nearest pairs weigh anything
    s.inv_delta = even_widths(last / width_count, last, width_count);
    return s;
}

/// As make_samples, made once for all repetitions of a benchmark.
const Samples& samples_of(std::int64_t n, std::int64_t features, bool one_hot) {
    static std::tuple<std::int64_t, std::int64_t, bool> made;
    static Samples samples;
    if (const std::tuple asked_for{n, features, one_hot}; made != asked_for) {
        samples = make_samples(n, features, one_hot);
        made = asked_for;
    }
    return samples;
}

template <class T>
void write_values(const std::filesystem::path& name, const std::vector<T>& values) {
    AtomicFile file(name);
    file.write(values.data(), values.size() * sizeof(T));
    file.commit();
}

/// LFR of n samples over an even grid of 100 widths, after a first time that is not counted. Samples and
/// curve go to the folder $DEEPFREQ_LFR_OUT if it is set, for lfr_double.py to check.
void lfr(benchmark::State& state, std::int64_t features, bool one_hot) {
    const std::int64_t n = state.range(0);
    const Samples& samples = samples_of(n, features, one_hot);
    const Buffer x = uploaded(samples.x);
    const Buffer y = uploaded(samples.y);
    const auto measure = [&] {
        return low_frequency_ratio(device(), x.view<float>({n, features}), y.view<float>({n, classes}),
                                   samples.inv_delta);
    };
    FrequencyCurve curve = measure();
    while (state.KeepRunning()) curve = measure();
    if (const char* const folder = std::getenv("DEEPFREQ_LFR_OUT"); folder != nullptr) {
        const std::filesystem::path out(folder);
        write_values(out / "x.f32", samples.x);
        write_values(out / "y.f32", samples.y);
        write_values(out / "inv_delta.f64", samples.inv_delta);
        write_values(out / "lfr.f64", curve.value);
    }
}
// Named lfr/KIND/N: d = 500 for the CPU's table; lfr/KIND_d512/N for the GPU's.
const bool registered = [] {
    for (const bool one_hot : {true, false}) {
        const std::string name = one_hot ? "lfr/one_hot" : "lfr/general";
        benchmark::RegisterBenchmark(name.c_str(), lfr, 500, one_hot)
            ->Arg(10000)
            ->Arg(30000)
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
        benchmark::RegisterBenchmark((name + "_d512").c_str(), lfr, 512, one_hot)
            ->Arg(2000)
            ->Arg(40000)
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
    }
    return true;
}();

}  // namespace
}  // namespace deepfreq::benchmarks
