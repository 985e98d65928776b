#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>

#include "analysis/filter_grid.h"
#include "analysis/low_frequency_ratio.h"
#include "analysis/spectrum_probe.h"
#include "benchmarks/device.h"
#include "common/atomic_file.h"
#include "common/philox.h"
#include "data/synthetic_digits.h"
#include "models/mlp.h"

namespace deepfreq::benchmarks {
namespace {

constexpr std::int64_t classes = 10;

/// What is measured: ten clouds, one per class, as lfr_pytorch.py makes them, with one-hot or normal targets;
/// or features like those of a trained tanh layer, which vary in ten directions only, with one-hot targets.
enum class Kind { OneHot, General, Trained };

struct Task {
    Kind kind;
    std::int64_t n, features, widths;
    bool operator==(const Task&) const = default;
};

struct Samples {
    std::vector<float> x, y;  // [n, features], [n, classes]
    std::vector<double> inv_delta;
};

/// The cloud of each sample.
std::vector<std::int64_t> labels_of(std::int64_t n) {
    const Philox random(0, RandomUse::Functions, 1);
    std::vector<std::int64_t> labels(static_cast<std::size_t>(n));
    for (std::size_t i = 0; i < labels.size(); ++i)
        labels[i] = static_cast<std::int64_t>(random.words(i)[0] % classes);
    return labels;
}

/// Normal numbers around the centre for the label.
std::vector<float> clouds(const std::vector<std::int64_t>& labels, std::int64_t features) {
    const auto n = static_cast<std::int64_t>(labels.size());
    const std::vector<float> centres = normals(classes * features, 0);
    std::vector<float> x = normals(n * features, 2);
    for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < features; ++j)
            x[i * features + j] += 0.5F * centres[labels[i] * features + j];
    return x;
}

/// tanh of a linear map of clouds in ten dimensions.
std::vector<float> trained_layer(const std::vector<std::int64_t>& labels, std::int64_t features) {
    constexpr std::int64_t dimensions = 10;
    const std::vector<float> inner = clouds(labels, dimensions);
    const std::vector<float> map = normals(dimensions * features, 4);
    std::vector<float> x(labels.size() * static_cast<std::size_t>(features));
    for (std::size_t i = 0; i < labels.size(); ++i)
        for (std::int64_t j = 0; j < features; ++j) {
            float z = 0.0F;
            for (std::int64_t k = 0; k < dimensions; ++k)
                z += inner[i * dimensions + k] * map[k * features + j];
            x[i * features + j] = std::tanh(0.3F * z);
        }
    return x;
}

std::vector<float> one_hot(const std::vector<std::int64_t>& labels) {
    std::vector<float> y(labels.size() * classes);
    for (std::size_t i = 0; i < labels.size(); ++i) y[i * classes + labels[i]] = 1.0F;
    return y;
}

double mean_squared_distance(const std::vector<float>& x, std::int64_t n, std::int64_t features) {
    std::vector<double> sum(static_cast<std::size_t>(features)), squares(sum.size());
    for (std::int64_t i = 0; i < n; ++i)
        for (std::int64_t j = 0; j < features; ++j) {
            const auto value = static_cast<double>(x[i * features + j]);
            sum[j] += value;
            squares[j] += value * value;
        }
    double mean = 0.0;
    const auto count = static_cast<double>(n);
    for (std::int64_t j = 0; j < features; ++j)
        mean += 2.0 * (squares[j] / count - sum[j] / count * (sum[j] / count));
    return mean;
}

Samples make_samples(const Task& task) {
    const std::vector<std::int64_t> labels = labels_of(task.n);
    Samples s{.x = task.kind == Kind::Trained ? trained_layer(labels, task.features)
                                              : clouds(labels, task.features),
              .y = task.kind == Kind::General ? normals(task.n * classes, 3) : one_hot(labels),
              .inv_delta = {}};
    // Up to where only the nearest pairs have any weight.
    const double last = 40.0 / mean_squared_distance(s.x, task.n, task.features);
    s.inv_delta = even_widths(last / static_cast<double>(task.widths), last, static_cast<int>(task.widths));
    return s;
}

/// Like make_samples, but made once for all repetitions of a benchmark.
const Samples& samples_of(const Task& task) {
    static Task made{};
    static Samples samples;
    if (made != task) samples = make_samples(task);
    made = task;
    return samples;
}

template <class T>
void write_values(const std::filesystem::path& name, const std::vector<T>& values) {
    AtomicFile file(name);
    file.write(values.data(), values.size() * sizeof(T));
    file.commit();
}

/// LFR over an even grid, after a warm-up run that is not counted. Samples and curve are written to the
/// folder $DEEPFREQ_LFR_OUT if it is set, for lfr_double.py to check.
void lfr(benchmark::State& state, Kind kind, std::int64_t features) {
    const std::int64_t n = state.range(0);
    const Samples& samples = samples_of({kind, n, features, state.range(1)});
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

/// The same work as train_mlp_mnist's probe: a network of five hidden layers of 500, each layer's spectrum at
/// n samples on one automatic grid. The network is freshly initialized, the samples are synthetic digits.
void probe(benchmark::State& state) {
    const std::int64_t n = state.range(0);
    const MlpParams params{.hidden = std::vector<std::int64_t>(5, 500)};
    Network network(device(), mlp(params), 256);
    network.initialize({}, 0);
    const DeviceDataset set(device(), synthetic_digits({.train = n, .validation = 1}).train);
    ProbeOptions options{.sets = {}, .samples = n, .grid = {}, .filter = {}};
    for (int layer = 1; layer <= 5; ++layer)
        options.sets.push_back({.layer = layer, .target = {}, .name = std::to_string(layer)});
    SpectrumProbe probe(device(), network, set, options);
    const auto ignore = [](const std::string& /*warning*/) {};
    while (state.KeepRunning()) benchmark::DoNotOptimize(probe.measure(ignore));
}
BENCHMARK(probe)->Name("probe")->Arg(30000)->UseRealTime()->Unit(benchmark::kMillisecond);

// Named lfr/KIND/N/WIDTHS: d = 500 for the CPU's table; lfr/KIND_d512/N/WIDTHS for the GPU's.
const bool registered = [] {
    for (const auto& [name, kind] :
         {std::pair("lfr/one_hot", Kind::OneHot), std::pair("lfr/general", Kind::General),
          std::pair("lfr/trained", Kind::Trained)}) {
        benchmark::RegisterBenchmark(name, lfr, kind, 500)
            ->ArgsProduct({{10000, 30000}, {100, 400}})
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
        benchmark::RegisterBenchmark((std::string(name) + "_d512").c_str(), lfr, kind, 512)
            ->ArgsProduct({{2000, 40000}, {100, 400}})
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
    }
    return true;
}();

}  // namespace
}  // namespace deepfreq::benchmarks
