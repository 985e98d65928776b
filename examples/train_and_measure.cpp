// A network learns a function, and the frequency content of what its layers still have to learn is measured
// as it does.
#include <deepfreq/data/functions.h>
#include <deepfreq/engine/trainer.h>
#include <deepfreq/models/mlp.h>
#include <deepfreq/runs/probe_plan.h>

#include <cstdio>
#include <exception>

using namespace deepfreq;

namespace {

void train_and_measure() {
    const OpenedBackend opened = open_backend("auto");  // the GPU if there is one, else the CPU
    Backend& backend = *opened.backend;
    std::printf("%s\n", opened.reason.c_str());

    // cos 3x + cos 5x at 400 points, and three hidden layers of 64.
    const DeviceDataset set(backend, sample_cos3_plus_cos5({.n = 400, .low = -3.14, .high = 3.14}));
    Network network(backend, mlp({.inputs = 1, .hidden = {64, 64, 64}, .outputs = 1}), 400);
    network.initialize({}, 0);
    Trainer trainer(backend, network, set, {.learning_rate = 1e-3});

    // LFR and RDF of every hidden layer: of {(f[l](x_i), y_i)}, on all samples.
    SpectrumProbe probe(backend, network, set, ProbePlan{}.options(network.depth(), set.samples()));
    const auto warn = [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); };
    while (trainer.epoch() <= 2000) {
        if (trainer.epoch() % 500 == 0) {
            std::printf("epoch %4lld: loss %.4f; RDF peaks at 1/delta =",
                        static_cast<long long>(trainer.epoch()), trainer.evaluate(set).loss);
            for (const LayerSpectrum& layer : probe.measure(warn))
                std::printf(" %.3g (layer %s)", layer.peak.inv_delta, layer.set.name.c_str());
            std::printf("\n");
        }
        trainer.finish_epoch([] { return true; });
    }
}

}  // namespace

int main() {
    try {
        train_and_measure();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "error: %s\n", error.what());
        return 1;
    }
}
