#include "oracle/self_check.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <iterator>
#include <limits>
#include <utility>

#include "oracle/spectrum_reference.h"

namespace deepfreq::oracle {
namespace {

/// The first row of an operation, the misaligned ones, and its last row of paper size (else its largest).
std::vector<Case> chosen_rows(Operation operation) {
    std::vector<Case> rows;
    std::copy_if(cases().begin(), cases().end(), std::back_inserter(rows),
                 [&](const Case& c) { return c.operation == operation; });
    std::vector<Case> chosen = {rows.front()};
    std::copy_if(rows.begin(), rows.end(), std::back_inserter(chosen),
                 [](const Case& c) { return c.misaligned; });
    chosen.push_back(*std::max_element(rows.begin(), rows.end(), [](const Case& a, const Case& b) {
        if (a.paper_size && b.paper_size) return a.seed < b.seed;
        return std::pair(a.paper_size, a.shape.elements()) < std::pair(b.paper_size, b.shape.elements());
    }));
    return chosen;
}

/// LFR of normal features over evenly spaced widths, from where all pairs have equal weight to where only
/// near ones have any.
Experiment spectrum(std::int64_t n, std::int64_t d, std::int64_t c, bool one_hot) {
    constexpr int inv_deltas = 12;
    const Floats x = normals(1, 0, n * d);
    Floats y = targets(1, n, c);
    for (std::int64_t i = 0; i < n * c && one_hot; ++i) y[i] = i % c == i / c % c ? 1.0F : 0.0F;
    std::vector<double> inv_delta;
    inv_delta.reserve(inv_deltas);
    for (int k = 0; k < inv_deltas; ++k) inv_delta.push_back(2.0 * k / static_cast<double>(d));
    double total = 0.0;
    for (const float value : y) total += static_cast<double>(value) * static_cast<double>(value);
    reference::Estimate energy{reference::low_frequency_ratio(x, y, n, inv_delta, false), {}};
    for (double& value : energy.value) value *= total;
    energy.error.assign(inv_delta.size(), 1e-5 * total);  // what the contract guarantees
    return {[=](Backend& backend, Stage& stage) {
                const ConstTensor features = stage.input({n, d}, x);
                const ConstTensor labels = stage.input({n, c}, y);
                stage.returned("energy",
                               backend(GaussianLowFrequencyEnergy{
                                   .samples = {.x = features, .y = labels, .inv_deltas = inv_delta}}));
            },
            {{"energy", energy}}};
}

double seconds_of(const Trial& trial, Backend& backend) {
    Stage stage(backend, trial.misaligned);
    const auto start = std::chrono::steady_clock::now();
    trial.experiment.call(backend, stage);
    backend.synchronize();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void check_trial(const Trial& trial, Backend& backend, CheckedOperation& checked) {
    const Outcome outcome = outcome_of(trial.experiment, backend, trial.misaligned);
    std::vector<std::string> complaints = outcome.complaints;
    for (const Deviation& worst : deviations(outcome.outputs, trial.experiment)) {
        checked.error_share = std::max(checked.error_share, worst.share);
        if (!worst.allowed()) complaints.push_back(worst.text);
    }
    if (checked.complaint.empty() && !complaints.empty()) checked.complaint = complaints.front();
}

}  // namespace

std::vector<OperationTrials> self_check_trials(Precision precision) {
    std::vector<OperationTrials> all;
    for (int operation = 0; operation < operation_count; ++operation) {
        OperationTrials trials{name_of(static_cast<Operation>(operation)), {}};
        for (Case c : chosen_rows(static_cast<Operation>(operation))) {
            c.precision = precision;
            trials.trials.push_back({experiment_of(c), c.misaligned});
        }
        all.push_back(std::move(trials));
    }
    const std::string name = "gaussian_low_frequency_energy";
    all.push_back({name + ", one-hot", {{spectrum(65, 17, 3, true), true}, {spectrum(600, 500, 10, true)}}});
    all.push_back(
        {name + ", general", {{spectrum(65, 17, 3, false), true}, {spectrum(600, 500, 10, false)}}});
    return all;
}

CheckedOperation check_operation(const OperationTrials& operation, Backend& backend) {
    CheckedOperation checked{operation.name, 0.0, 0.0, ""};
    try {
        for (const Trial& trial : operation.trials) check_trial(trial, backend, checked);
        checked.seconds = seconds_of(operation.trials.back(), backend);
    } catch (const std::exception& error) {
        checked.complaint = error.what();
        checked.error_share = std::numeric_limits<double>::infinity();
    }
    return checked;
}

}  // namespace deepfreq::oracle
