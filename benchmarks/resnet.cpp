#include <sys/resource.h>

#include "benchmarks/device.h"
#include "benchmarks/random_samples.h"
#include "engine/trainer.h"
#include "models/resnet18_variants.h"

namespace deepfreq::benchmarks {
namespace {

/// The peak memory of this process, in bytes.
double peak_memory() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return 1024.0 * static_cast<double>(usage.ru_maxrss);
}

/// Epochs of four training steps of Resnet18-`variant` (softmax-CE, Adam) in batches of `batch`, as the app
/// does it, but without the evaluation.
void resnet_epoch(benchmark::State& state) {
    const Resnet18Params params{.variant = static_cast<int>(state.range(0))};
    const std::int64_t batch = state.range(1);
    Network network(device(), resnet18_variant(params), batch);
    network.initialize({Initializer::Kind::He}, 0);
    const DeviceDataset set(device(), random_samples(4 * batch, 32 * 32 * 3, 10));
    Trainer trainer(device(), network, set,
                    {.loss = Loss::SoftmaxCrossEntropy, .learning_rate = 1e-3, .adam = {}});
    const auto epoch = [&] {
        trainer.finish_epoch([] { return true; });
        device().synchronize();
    };
    epoch();
    while (state.KeepRunning()) epoch();
    state.counters["seconds_per_step"] =
        benchmark::Counter(static_cast<double>(trainer.steps_per_epoch()),
                           benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
    state.counters["peak_bytes"] = peak_memory();
}
BENCHMARK(resnet_epoch)
    ->Name("resnet_epoch")
    ->ArgNames({"variant", "batch"})
    ->Args({1, 64})
    ->Args({4, 64})
    ->Args({1, 256})  // the batch at which a GPU is measured
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace deepfreq::benchmarks
