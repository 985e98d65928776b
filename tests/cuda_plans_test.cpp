#include <doctest/doctest.h>
#include <fmt/core.h>

#include <algorithm>
#include <numeric>
#include <string>

#include "common/error.h"
#include "kernels/cuda/alignment.h"
#include "kernels/cuda/plan_report.h"
#include "oracle/convolution_tasks.h"
#include "tests/checks.h"
#include "tests/files.h"

// cuDNN's plans for GPUs that are not here. Whether they run, only a GPU can tell.

namespace deepfreq::tests {

using namespace oracle;

namespace {

using cuda::ConvolutionKind;
using cuda::ConvolutionTask;
using cuda::PlanReport;

/// Whether plans can be made here; says aloud why not.
bool plans_can_be_made() {
    const std::string why = cuda::no_plan_reports();
    if (!why.empty()) MESSAGE("plans: skipped: " << why);
    return why.empty();
}

const std::string& properties_of(const std::string& name) {
    const auto& devices = cuda::described_devices();
    const auto found =
        std::find_if(devices.begin(), devices.end(), [&](const auto& d) { return d.name == name; });
    REQUIRE(found != devices.end());
    return found->properties;
}

constexpr Precision precisions[] = {Precision::Float32, Precision::TensorFloat32, Precision::BFloat16};

}  // namespace

TEST_CASE("cuda/plans: a dry run notes each convolution of a training step once, with both modes") {
    const StepNeeds needs = step_needs({}, 256);
    const auto count = [&](ConvolutionKind kind, bool add) {
        return std::count_if(needs.convolutions.begin(), needs.convolutions.end(),
                             [&](const ConvolutionTask& t) { return t.kind == kind && t.add == add; });
    };
    CHECK(count(ConvolutionKind::Forward, false) == 11);       // those of ResNet-18 that differ
    CHECK(count(ConvolutionKind::BackwardData, false) == 10);  // none by the images
    CHECK(count(ConvolutionKind::BackwardFilter, false) == 11);
    CHECK(count(ConvolutionKind::BackwardFilter, true) == 11);
    const std::vector<ConvolutionTask> all = required_convolutions();
    CHECK(std::all_of(needs.convolutions.begin(), needs.convolutions.end(), [&](const ConvolutionTask& task) {
        return std::find(all.begin(), all.end(), task) != all.end();
    }));
}

TEST_CASE("cuda/plans: alignment is a power of two up to 16, and null counts as any") {
    alignas(256) const std::byte memory[1024] = {};
    CHECK(cuda::alignment_of({memory, memory + 512}) == 16);
    CHECK(cuda::alignment_of({memory, memory + 8}) == 8);
    CHECK(cuda::alignment_of({memory + 16, memory + 20, nullptr}) == 4);
    CHECK(cuda::alignment_of({nullptr}) == 16);
}

TEST_CASE("cuda/plans: every convolution has one on every device, in every precision") {
    if (!plans_can_be_made()) return;
    const std::vector<ConvolutionTask> tasks = required_convolutions();
    CHECK(cuda::described_devices().size() == 4);
    for (const auto& device : cuda::described_devices())
        for (const Precision precision : precisions) {
            INFO(device.name, " in ", precision_name(precision));
            const std::vector<PlanReport> reports = cuda::report_plans(device.properties, tasks, precision);
            REQUIRE(reports.size() == tasks.size());
            for (std::size_t i = 0; i < tasks.size(); ++i)
                CHECK_MESSAGE(reports[i].tally.possible() > 0, text_of(tasks[i])
                                                                   << ": " << reports[i].tally.reason);
        }
}

TEST_CASE("cuda/plans: fp32 passes over what tf32 takes, and bf16 is tf32 on rounded copies") {
    if (!plans_can_be_made()) return;
    const std::vector<ConvolutionTask> tasks = step_needs({}, 256).convolutions;
    const auto report = [&](Precision precision) {
        return cuda::report_plans(properties_of("h100"), tasks, precision);
    };
    const auto fp32 = report(Precision::Float32);
    const auto tf32 = report(Precision::TensorFloat32);
    const auto bf16 = report(Precision::BFloat16);
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        INFO(text_of(tasks[i]));
        CHECK(fp32[i].tally.proposed == tf32[i].tally.proposed);
        CHECK(fp32[i].tally.unwanted > tf32[i].tally.unwanted);
        CHECK(bf16[i].engine == tf32[i].engine);
        const auto sizes = tasks[i].sizes();
        const std::int64_t factors =
            std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}) - sizes[tasks[i].result()];
        const std::int64_t copies = bf16[i].workspace_bytes - tf32[i].workspace_bytes;
        CHECK(copies >= 4 * factors);
        CHECK(copies < 4 * factors + 512);
    }
}

TEST_CASE("cuda/plans: Resnet18-1 at batch 256 takes at most 1.2 times the memory of its tensors") {
    if (!plans_can_be_made()) return;
    const StepNeeds needs = step_needs({}, 256);
    for (const auto& device : cuda::described_devices())
        for (const Precision precision : precisions) {
            std::int64_t largest = 0;  // one workspace serves all
            for (const PlanReport& report :
                 cuda::report_plans(device.properties, needs.convolutions, precision))
                largest = std::max(largest, report.workspace_bytes);
            const double times = 1.0 + static_cast<double>(largest) / static_cast<double>(needs.bytes);
            INFO(device.name, " in ", precision_name(precision));
            CHECK(times <= 1.2);
        }
}

TEST_CASE("cuda/plans: properties that cuDNN refuses end in its own reason") {
    if (!plans_can_be_made()) return;
    const std::vector<ConvolutionTask> none;
    for (const char* const wrong : {"", "no JSON", "{", "{}", R"({"deviceVer": "nine"})"}) {
        CAPTURE(wrong);
        CHECK_THROWS_WITH_AS(cuda::report_plans(wrong, none, Precision::Float32),
                             doctest::Contains("cuDNN refuses these properties of a device: "), InputError);
    }
}

}  // namespace deepfreq::tests
