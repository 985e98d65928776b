#include "runs/memory_check.h"

#include <string>

#include "common/error.h"

namespace deepfreq {
namespace {

// Checked before anything is allocated, since a host may promise memory that it does not have.
void check_free(const Backend& backend, double weights, double layers, const std::string& chosen) {
    constexpr double layer_itself = 2048.0;  // what is kept on the host: it matters for very narrow layers
    const double needed = 16.0 * weights + layer_itself * layers;
    const auto free = static_cast<double>(backend.free_bytes());
    if (needed > free)
        throw InputError(
            Remedy::SmallerNetwork,
            "{} needs {:.3g} GiB for weights, gradients and Adam's moments, and {:.3g} GiB are free", chosen,
            needed / 0x1p30, free / 0x1p30);
}

}  // namespace

void check_network_fits(const Backend& backend, std::int64_t depth, std::int64_t width, std::int64_t copies) {
    const auto units = static_cast<double>(width);
    const double layers = static_cast<double>(depth) * static_cast<double>(copies);
    check_free(backend, units * units * layers, layers,
               fmt::format("a network of {} layers of width {}", depth, width));
}

void check_network_fits(const Backend& backend, std::string_view name,
                        std::span<const std::unique_ptr<Layer>> layers) {
    double weights = 0.0;
    MemoryPlan plan(1);
    for (const auto& layer : layers) layer->plan(plan);
    for (const MemoryPlan::Lasting& parameter : plan.parameters())
        weights += static_cast<double>(parameter.spec.shape.elements());
    check_free(backend, weights, static_cast<double>(layers.size()), fmt::format("the network {}", name));
}

}  // namespace deepfreq
