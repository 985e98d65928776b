// What this build can do on this machine, whether it computes correctly, and how to fix what is missing
#include <fmt/format.h>

#include <CLI/App.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/cli/option_checks.h"
#include "apps/cli/program.h"
#include "apps/doctor/plans.h"
#include "common/error.h"
#include "kernels/backend.h"
#include "kernels/cuda/open_cuda.h"
#include "oracle/self_check.h"
#include "runs/manifest.h"
#include "runs/report.h"

namespace {

using namespace deepfreq;

constexpr const char* app_name = "doctor";

struct Flags {
    std::string device = "all";
    std::string precision = "fp32";
    std::vector<std::string> only;
    std::string plans;  // "all" or a file; empty: not requested

    void add_to(CLI::App& app) {
        app.add_option("--device", device, "check only this one: auto, cpu, cuda or cuda:N");
        app.add_option("--precision", precision,
                       "that products are computed in and checked for: fp32, bf16; on a GPU only: tf32; auto")
            ->check(parses(parse_precision));
        app.add_option("--only", only, "check only operations whose names begin so, separated by commas")
            ->delimiter(',');
        app.add_flag(
               "--plans{all}", plans,
               "instead, without a GPU: cuDNN's plans for every convolution of the networks and tests on "
               "A100, H100, H200 and RTX 4090, or on the device whose properties are in this JSON file")
            ->expected(0, 1);
    }
};

std::string gibibytes(std::size_t bytes) {
    return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / 0x1p30);
}

void show_build(const Command& command, const CudaFacts& cuda) {
    const nlohmann::json program = command.manifest();
    const auto text = [&](const char* key) { return program[key].get<std::string>(); };
    report("built: deepfreq {}, revision {}, by {}", text("version"), text("git_revision"), text("compiler"));
    for (const auto& [library, version] : program["libraries"].items())
        report("  {} {}", library, version.get<std::string>());
    report("backends in this binary: cpu{}", cuda.built ? ", cuda" : "");
    if (cuda.built) report("  cuda: toolkit {}, architectures {}", cuda.toolkit, cuda.architectures);
}

void show_machine(const CudaFacts& cuda) {
    if (cuda.built)
        report("found: NVIDIA driver: {}{}", cuda.driver == "none" ? "" : "serves CUDA ", cuda.driver);
    else
        report("found: NVIDIA driver: not looked for");
    for (const auto& [library, version] : cuda.libraries) report("  {} {}", library, version);
    for (const std::string& device : cuda.devices) report("  {}", device);
    if (!cuda.unavailable.empty()) report("  cuda cannot be used: {}", cuda.unavailable);
    if (!cuda.built)
        report("  cure: ./run --backend cuda doctor builds it, where nvcc and cuDNN are installed");
}

/// What `auto` would open, and why; an error that prevents opening is shown, not thrown.
void show_choice() {
    try {
        report_line(open_backend("auto").reason);
    } catch (const InputError& error) {
        report("auto fails: {}", error.what());
    }
}

/// All devices that compute in `precision`; the CPU has no tf32.
std::vector<std::string> devices_present(const CudaFacts& cuda, Precision precision) {
    std::vector<std::string> devices;
    if (precision != Precision::TensorFloat32) devices = {"cpu"};
    for (std::size_t i = 0; i < cuda.devices.size() && cuda.unavailable.empty(); ++i)
        devices.push_back(fmt::format("cuda:{}", i));
    if (devices.empty())
        throw InputError("--precision is {}, which takes a GPU, but {}", precision_name(precision),
                         cuda.unavailable);
    return devices;
}

/// One line per operation; returns how many failed.
int check_operations(Backend& backend, const std::vector<oracle::OperationTrials>& operations) {
    int failed = 0;
    report("{:<40}{:>24}{:>12}", "operation", "error, of what's allowed", "time");
    for (const oracle::OperationTrials& operation : operations) {
        const oracle::CheckedOperation checked = oracle::check_operation(operation, backend);
        const bool well = checked.complaint.empty();
        if (!well) ++failed;
        report("{:<40}{:>22.1f} %{:>9.2f} ms  {}{}", checked.name, 100.0 * checked.error_share,
               1e3 * checked.seconds, well ? "OK" : "FAILED: ", checked.complaint);
    }
    return failed;
}

/// The operations of one device that --only selects.
std::vector<oracle::OperationTrials> chosen_trials(const Flags& flags, Precision precision) {
    std::vector<oracle::OperationTrials> trials = oracle::self_check_trials(precision);
    if (flags.only.empty()) return trials;
    for (const std::string& prefix : flags.only)
        if (std::none_of(trials.begin(), trials.end(),
                         [&](const auto& t) { return t.name.starts_with(prefix); }))
            throw InputError("--only is '{}', expected how the name of an operation begins", prefix);
    std::erase_if(trials, [&](const oracle::OperationTrials& t) {
        return std::none_of(flags.only.begin(), flags.only.end(),
                            [&](const std::string& prefix) { return t.name.starts_with(prefix); });
    });
    return trials;
}

/// How many operations of a device failed. A device that is present but cannot be opened counts as one
/// failure, unless the user named it.
int check_device(const std::string& name, bool asked_for, const Flags& flags) {
    OpenedBackend device;
    try {
        device = open_backend(name, parse_precision(flags.precision));
    } catch (const InputError& error) {
        if (asked_for) throw;
        report("\ndevice: {}: FAILED: {}", name, error.what());
        return 1;
    }
    report("\ndevice: {} ({})", device.backend->description(), device.reason);
    report("free memory: {}", gibibytes(device.backend->free_bytes()));
    return check_operations(*device.backend, chosen_trials(flags, device.backend->precision()));
}

void run(CLI::App& /*app*/, Flags& flags, const Command& command) {
    if (!flags.plans.empty()) {
        const int missing = show_plans(flags.plans == "all" ? "" : flags.plans);
        if (missing > 0) throw RunError("{} convolutions have no plan, expected one for each", missing);
        return;
    }
    const std::string& asked_for = flags.device;
    const CudaFacts cuda = cuda_facts();
    show_build(command, cuda);
    show_machine(cuda);
    show_choice();
    const bool all = asked_for == "all";
    const std::vector<std::string> devices =
        all ? devices_present(cuda, parse_precision(flags.precision)) : std::vector{asked_for};
    int failed = 0;
    for (const std::string& name : devices) failed += check_device(name, !all, flags);
    if (failed > 0) throw RunError("{} of the checks above failed, expected none", failed);
    report("\nall is well on {}", fmt::join(devices, ", "));
}

}  // namespace

int main(int argc, char** argv) {
    return run_app<Flags>(
        app_name,
        "Says what was built, what this machine has and which device auto chooses, and checks every "
        "operation\nof each device against the reference, in a few seconds. Exit status 1 if one failed.",
        argc, argv, run);
}
