#include "apps/fit_functions/fit.h"

#include <algorithm>
#include <cmath>

#include "common/error.h"
#include "engine/trainer.h"
#include "models/mlp.h"
#include "runs/interrupt.h"

namespace deepfreq {

std::optional<FitResult> fit(Backend& backend, const RegressionSet& function, std::int64_t hidden_layers,
                             std::uint64_t seed, const FitOptions& options) {
    const DeviceDataset set(backend, function);
    const std::vector<std::int64_t> hidden(static_cast<std::size_t>(hidden_layers), options.width);
    Network network(backend, mlp({function.features, hidden, 1, options.activation}),
                    std::min(options.batch, set.samples()));
    network.initialize(options.initializer, seed);
    Trainer trainer(backend, network, set, {.learning_rate = options.learning_rate, .seed = seed});
    FitResult result;
    try {
        while (!result.converged && trainer.epoch() < options.max_epochs) {
            if (!trainer.finish_epoch([] { return !interrupted(); }) || interrupted()) return std::nullopt;
            result.error = trainer.evaluate(set).loss;
            result.converged = result.error < options.error;
        }
    } catch (const DivergedError&) {
        result.error = std::nan("");  // a result too: the error was not reached
    }
    result.epochs = trainer.epoch();
    return result;
}

}  // namespace deepfreq
