#include "kernels/cuda/plan_report.h"

#include "kernels/cuda/convolution_plans.h"
#include "kernels/cuda/convolutions.h"
#include "kernels/cuda/plan_device.h"

namespace deepfreq::cuda {
namespace {

PlanReport report_of(const PlanDevice& device, const ConvolutionTask& task, Precision precision) {
    PlanSearch search(device, task, precision);
    PlanReport report;
    const auto note = [&](ConvolutionPlan&& plan) {
        if (!report.found()) {
            report.engine = plan.engine;
            report.workspace_bytes =
                static_cast<std::int64_t>(workspace_of(task, plan.workspace_bytes, precision));
        }
        return false;  // the others are counted too
    };
    for (const PlanSource source : plan_sources)
        if (source != PlanSource::EveryEngine || !report.found()) search.visit(source, note);
    report.tally = search.tally();
    return report;
}

}  // namespace

std::string no_plan_reports() {
    return no_described_devices();
}

std::vector<PlanReport> report_plans(std::string_view properties, std::span<const ConvolutionTask> tasks,
                                     Precision precision) {
    const PlanDevice device(properties);
    std::vector<PlanReport> reports;
    reports.reserve(tasks.size());
    for (const ConvolutionTask& task : tasks) reports.push_back(report_of(device, task, precision));
    return reports;
}

}  // namespace deepfreq::cuda
