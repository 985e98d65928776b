#include "models/mlp.h"

#include "benchmarks/device.h"
#include "benchmarks/random_samples.h"
#include "engine/trainer.h"

namespace deepfreq::benchmarks {
namespace {

/// Epochs of training 784-500x`hidden`-10 (tanh, MSE, Adam) on `samples` samples in batches of 256, as the
/// app does it, but without the evaluation; with or without the gradient norms.
void mlp_epoch(benchmark::State& state, bool gradient_norms) {
    const auto hidden = static_cast<std::size_t>(state.range(0));
    const MlpParams params{.hidden = std::vector<std::int64_t>(hidden, 500)};
    Network network(device(), mlp(params), 256);
    network.initialize({}, 0);
    const DeviceDataset set(device(), random_samples(state.range(1), params.inputs, 10));
    Trainer trainer(device(), network, set, {.gradient_norms = gradient_norms});
    const auto epoch = [&] {
        trainer.finish_epoch([] { return true; });
        device().synchronize();
    };
    epoch();
    while (state.KeepRunning()) epoch();
    const auto steps = static_cast<double>(trainer.steps_per_epoch());
    state.counters["seconds_per_step"] = benchmark::Counter(
        steps, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
    state.counters["parameters"] = static_cast<double>(network.parameters().elements());
}
BENCHMARK_CAPTURE(mlp_epoch, , false)
    ->Name("mlp_epoch")
    ->ArgNames({"hidden", "samples"})
    ->Args({5, 30000})
    ->Args({80, 2560})
    ->Args({5, 2560})
    ->Args({1, 2560})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(mlp_epoch, , true)
    ->Name("mlp_epoch_with_gradient_norms")
    ->ArgNames({"hidden", "samples"})
    ->Args({5, 30000})
    ->Args({80, 2560})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace deepfreq::benchmarks
