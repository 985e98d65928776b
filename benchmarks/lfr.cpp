#include <cstdlib>
#include <filesystem>
#include <string>

#include "analysis/filter_grid.h"
#include "analysis/low_frequency_ratio.h"
#include "benchmarks/device.h"
#include "common/atomic_file.h"
#include "common/philox.h"

namespace deepfreq::benchmarks {
namespace {

constexpr std::int64_t features = 500;
constexpr std::int64_t classes = 10;
constexpr int width_count = 100;

struct Samples {
    std::vector<float> x, y;  // [n, features], [n, classes]
    std::vector<double> inv_delta;
};

/// Ten clouds, one a class, as lfr_pytorch.py makes them; targets one-hot, or normal numbers.
Samples make_samples(std::int64_t n, bool one_hot) {
    const std::vector<float> centres = normals(classes * features, 0);
    const Philox random(0, RandomUse::Functions, 1);
    Samples s{.x = normals(n * features, 2), .y = normals(n * classes, 3), .inv_delta = {}};
    std::vector<double> sum(features), squares(features);
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

template <class T>
void write_values(const std::filesystem::path& name, const std::vector<T>& values) {
    AtomicFile file(name);
    file.write(values.data(), values.size() * sizeof(T));
    file.commit();
}

/// LFR of n samples over an even grid of 100 widths. Samples and curve go to the folder $DEEPFREQ_LFR_OUT if
/// it is set, for lfr_double.py to check.
void lfr(benchmark::State& state, bool one_hot) {
    const std::int64_t n = state.range(0);
    const Samples samples = make_samples(n, one_hot);
    const Buffer x = uploaded(samples.x);
    const Buffer y = uploaded(samples.y);
    FrequencyCurve curve;
    while (state.KeepRunning())
        curve = low_frequency_ratio(device(), x.view<float>({n, features}), y.view<float>({n, classes}),
                                    samples.inv_delta);
    if (const char* const folder = std::getenv("DEEPFREQ_LFR_OUT"); folder != nullptr) {
        const std::filesystem::path out(folder);
        write_values(out / "x.f32", samples.x);
        write_values(out / "y.f32", samples.y);
        write_values(out / "inv_delta.f64", samples.inv_delta);
        write_values(out / "lfr.f64", curve.value);
    }
}
BENCHMARK_CAPTURE(lfr, one_hot, true)->Arg(10000)->Arg(30000)->UseRealTime()->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(lfr, general, false)->Arg(10000)->Arg(30000)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace deepfreq::benchmarks
