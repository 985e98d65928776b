#include "apps/doctor/plans.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "common/error.h"
#include "data/files.h"
#include "kernels/backend.h"
#include "kernels/cuda/plan_report.h"
#include "oracle/convolution_tasks.h"
#include "runs/report.h"

namespace deepfreq {
namespace {

using cuda::ConvolutionTask;
using cuda::DescribedDevice;
using cuda::PlanReport;

constexpr Precision precisions[] = {Precision::Float32, Precision::TensorFloat32, Precision::BFloat16};

std::vector<DescribedDevice> devices_of(const std::string& file) {
    if (file.empty()) return cuda::described_devices();
    const std::vector<std::uint8_t> bytes = read_bytes(file);
    return {{file, {bytes.begin(), bytes.end()}}};
}

/// Counts of plans proposed, unwanted and possible, and MiB of workspace of the first one.
std::string columns_of(const PlanReport& report) {
    const cuda::PlanTally& tally = report.tally;
    const std::string counts =
        fmt::format("{:>4}{:>4}{:>4}", tally.proposed, tally.unwanted, tally.possible());
    if (!report.found()) return fmt::format("{}    none", counts);
    return fmt::format("{}{:>8.1f}", counts, static_cast<double>(report.workspace_bytes) / 0x1p20);
}

/// The reports of one device, one line per convolution.
int show_device(const DescribedDevice& device, const std::vector<ConvolutionTask>& tasks) {
    std::vector<std::vector<PlanReport>> reports;
    for (const Precision precision : precisions)
        reports.push_back(cuda::report_plans(device.properties, tasks, precision));
    report("\ndevice: {}", device.name);
    report("{:<75}{:^22}{:^22}{:^22}", "proposed, unwanted, possible; MiB of the first's workspace", "fp32",
           "tf32", "bf16");
    int missing = 0;
    std::int64_t largest = 0;
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        std::string line = fmt::format("{:<75}", oracle::text_of(tasks[i]));
        for (const auto& of_precision : reports) {
            line += "  " + columns_of(of_precision[i]);
            largest = std::max(largest, of_precision[i].workspace_bytes);
            if (of_precision[i].found()) continue;
            ++missing;
            line += " (" + of_precision[i].tally.reason + ")";
        }
        report_line(line);
    }
    report("{}: {} convolutions in {} precisions, {} without a plan; largest workspace {:.0f} MiB",
           device.name, tasks.size(), std::size(precisions), missing, static_cast<double>(largest) / 0x1p20);
    return missing;
}

}  // namespace

int show_plans(const std::string& properties) {
    if (const std::string why = cuda::no_plan_reports(); !why.empty())
        throw InputError(Remedy::BuildWithCuda, "--plans: {}", why);
    const std::vector<ConvolutionTask> tasks = oracle::required_convolutions();
    int missing = 0;
    for (const DescribedDevice& device : devices_of(properties)) missing += show_device(device, tasks);
    return missing;
}

}  // namespace deepfreq
