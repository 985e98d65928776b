#include "tests/checks.h"

#include <doctest/doctest.h>

namespace deepfreq::tests {

std::vector<Output> outputs_of(const Experiment& experiment, Backend& backend, bool misaligned) {
    Outcome outcome = outcome_of(experiment, backend, misaligned);
    for (const std::string& complaint : outcome.complaints) FAIL_CHECK(complaint);
    return std::move(outcome.outputs);
}

std::map<std::string, std::vector<double>> values_of(Backend& backend,
                                                     const std::function<void(Backend&, Stage&)>& call) {
    std::map<std::string, std::vector<double>> values;
    for (Output& output : outputs_of({call, {}}, backend)) values[output.name] = std::move(output.values);
    return values;
}

void check_close(const std::string& name, const std::vector<double>& found,
                 const reference::Estimate& expected) {
    const Deviation worst = deviation(name, found, expected);
    CHECK_MESSAGE(worst.allowed(), worst.text);
}

void check_close(const std::vector<Output>& found, const Experiment& experiment) {
    for (const Deviation& worst : deviations(found, experiment)) CHECK_MESSAGE(worst.allowed(), worst.text);
}

}  // namespace deepfreq::tests
