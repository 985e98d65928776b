#include "kernels/spectrum_backend.h"

#include <utility>

#include "common/error.h"

namespace deepfreq {

template <class Operation>
std::vector<double> SpectrumBackend::measure(const Operation& operation, std::size_t values) {
    const SpectrumSamples& samples = operation.samples;
    for (const auto& [tensor, label] : {std::pair{samples.x, "features"}, std::pair{samples.y, "targets"}}) {
        const std::int64_t columns = tensor.shape[1];
        if (const auto bad = (*this)(FirstNonFinite{tensor}); bad && columns > 0)
            throw InputError("{}: {} are not finite at row {}, column {}; finite numbers expected",
                             Operation::name, label, *bad / columns, *bad % columns);
    }
    std::vector<double> energy;
    if (values > 0) energy = execute(operation);
    if (operation.params.progress) operation.params.progress(1.0);
    return energy;
}

std::vector<double> SpectrumBackend::run(const GaussianLowFrequencyEnergy& operation) {
    return measure(operation, operation.samples.inv_deltas.size());
}

std::vector<double> SpectrumBackend::run(const GaussianLowFrequencyRowEnergies& operation) {
    return measure(operation, operation.samples.inv_deltas.size() * operation.rows.size());
}

}  // namespace deepfreq
