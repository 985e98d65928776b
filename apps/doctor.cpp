// What this build can do on this machine, whether it computes right, and the cure for what is missing
#include <spdlog/spdlog.h>

#include "apps/common/manifest.h"
#include "apps/common/program.h"
#include "common/error.h"
#include "kernels/cuda/cuda_kernels.h"
#include "kernels/kernels.h"
#include "tests/self_check.h"

namespace {

using namespace deepfreq;

constexpr const char* app_name = "doctor";

struct Flags {
    std::string device = "all";

    void add_to(CLI::App& app) {
        app.add_option("--device", device, "check only this one: auto, cpu, cuda or cuda:N");
    }
};

std::string gibibytes(std::size_t bytes) {
    return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / 0x1p30);
}

void show_build(int argc, char** argv, const CudaFacts& cuda) {
    const nlohmann::json program = manifest_of_program(app_name, argc, argv);
    const auto text = [&](const char* key) { return program[key].get<std::string>(); };
    spdlog::info("built: deepfreq {}, revision {}, by {}", text("version"), text("git_revision"),
                 text("compiler"));
    for (const auto& [library, version] : program["libraries"].items())
        spdlog::info("  {} {}", library, version.get<std::string>());
    spdlog::info("backends in this binary: cpu{}", cuda.built ? ", cuda" : "");
    if (cuda.built) spdlog::info("  cuda: toolkit {}, architectures {}", cuda.toolkit, cuda.architectures);
}

void show_machine(const CudaFacts& cuda) {
    if (cuda.built)
        spdlog::info("found: NVIDIA driver: {}{}", cuda.driver == "none" ? "" : "serves CUDA ", cuda.driver);
    else
        spdlog::info("found: NVIDIA driver: not looked for");
    for (const auto& [library, version] : cuda.libraries) spdlog::info("  {} {}", library, version);
    for (const std::string& device : cuda.devices) spdlog::info("  {}", device);
    if (!cuda.unavailable.empty()) spdlog::info("  cuda cannot be used: {}", cuda.unavailable);
    if (!cuda.built)
        spdlog::info("  cure: ./run --backend cuda doctor builds it, where nvcc and cuDNN are installed");
}

/// What `auto` would open, and why; what keeps it from opening is shown, not thrown.
void show_choice() {
    try {
        spdlog::info("{}", open_kernels("auto").reason);
    } catch (const InputError& error) {
        spdlog::info("auto fails: {}", error.what());
    }
}

std::vector<std::string> devices_present(const CudaFacts& cuda) {
    std::vector<std::string> devices = {"cpu"};
    for (std::size_t i = 0; i < cuda.devices.size() && cuda.unavailable.empty(); ++i)
        devices.push_back(fmt::format("cuda:{}", i));
    return devices;
}

/// One line an operation; returns how many failed.
int check_device(Kernels& kernels, const std::vector<tests::OperationTrials>& operations) {
    int failed = 0;
    spdlog::info("{:<40}{:>24}{:>12}", "operation", "error, of what's allowed", "time");
    for (const tests::OperationTrials& operation : operations) {
        const tests::CheckedOperation checked = tests::check_operation(operation, kernels);
        const bool well = checked.complaint.empty();
        if (!well) ++failed;
        spdlog::info("{:<40}{:>22.1f} %{:>9.2f} ms  {}{}", checked.name, 100.0 * checked.error_share,
                     1e3 * checked.seconds, well ? "OK" : "FAILED: ", checked.complaint);
    }
    return failed;
}

/// As check_device; a device that is there but cannot be opened is one failure, unless the user named it.
int check_device(const std::string& name, bool asked_for,
                 const std::vector<tests::OperationTrials>& operations) {
    OpenedKernels device;
    try {
        device = open_kernels(name);
    } catch (const InputError& error) {
        if (asked_for) throw;
        spdlog::info("\ndevice: {}: FAILED: {}", name, error.what());
        return 1;
    }
    spdlog::info("\ndevice: {} ({})", device.kernels->description(), device.reason);
    spdlog::info("free memory: {}", gibibytes(device.kernels->free_bytes()));
    return check_device(*device.kernels, operations);
}

void run(CLI::App& /*app*/, Flags& flags, int argc, char** argv) {
    const std::string& asked_for = flags.device;
    const CudaFacts cuda = cuda_facts();
    show_build(argc, argv, cuda);
    show_machine(cuda);
    show_choice();
    const bool all = asked_for == "all";
    const std::vector<std::string> devices = all ? devices_present(cuda) : std::vector{asked_for};
    if (!all) open_kernels(asked_for);  // a name that is none ends here, before anything is computed
    const std::vector<tests::OperationTrials> operations = tests::self_check_trials();
    int failed = 0;
    for (const std::string& name : devices) failed += check_device(name, !all, operations);
    if (failed > 0) throw RunError("{} of the checks above failed, expected none", failed);
    spdlog::info("\nall is well on {}", fmt::join(devices, ", "));
}

}  // namespace

int main(int argc, char** argv) {
    return run_app<Flags>(
        app_name,
        "Says what was built, what this machine has and which device auto chooses, and checks every "
        "operation\nof each device against the reference, in a few seconds. Exit status 1 if one failed.",
        argc, argv, run);
}
