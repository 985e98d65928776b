// Stands in for the CUDA backend in a build without it.
#include "common/error.h"
#include "kernels/cuda/open_cuda.h"
#include "kernels/cuda/plan_report.h"

namespace deepfreq {

std::string cuda_unavailable() {
    return "this build has no CUDA backend";
}

std::unique_ptr<Backend> open_cuda_backend(int index, Precision /*precision*/) {
    throw InputError(Remedy::BuildWithCuda, "the device is cuda:{}, but this build has no CUDA backend",
                     index);
}

CudaFacts cuda_facts() {
    CudaFacts facts;
    facts.driver = "unknown";
    facts.unavailable = cuda_unavailable();
    return facts;
}

namespace cuda {

const std::vector<DescribedDevice>& described_devices() {
    static const std::vector<DescribedDevice> none;
    return none;
}

std::string no_plan_reports() {
    return cuda_unavailable();
}

std::vector<PlanReport> report_plans(std::string_view /*properties*/,
                                     std::span<const ConvolutionTask> /*tasks*/, Precision /*precision*/) {
    throw InputError(Remedy::BuildWithCuda, "no plans: {}", no_plan_reports());
}

}  // namespace cuda

}  // namespace deepfreq
